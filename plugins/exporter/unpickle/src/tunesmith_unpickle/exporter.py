"""model/pickle -> model/hf: each file allowed, scanned, read in a process of its own, compared."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step, TunesmithError, UserError
from tunesmith_models.converter_process import die_with_parent
from tunesmith_models.model_directory import weights_size
from tunesmith_unpickle import reading_process
from tunesmith_unpickle.comparison import compare
from tunesmith_unpickle.scan import scan
from tunesmith_unpickle.settings import UnpickleSettings
from tunesmith_unpickle.tensor_records import NotTensors

INDEX, NEW_INDEX = "pytorch_model.bin.index.json", "model.safetensors.index.json"
_NAME = re.compile(r"pytorch_model(.*)\.bin")
_SHARD = re.compile(r"pytorch_model-\d+-of-\d+\.bin")
_POLL = 0.2  # seconds between two looks at the process
_KEPT = ("PATH", "LANG", "LC_ALL", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "LD_LIBRARY_PATH", "TMPDIR")  # of the environment: no tokens


class Unpickler:
    def __init__(self, settings: UnpickleSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """
        Raises:
            UserError: TS-MODEL-025 a file holds something else than tensors; 026 there is no way to read it without a network; 027 it is
                not one that is allowed.
            TunesmithError: TS-MODEL-028 what was read is not what the file holds.
        """
        files = pickled_files(source.path)
        tensors = 0
        for done, path in enumerate(files):
            step.progress(done, len(files), what="read pickles", unit="files")
            self._require_allowed(path)
            target = output / _renamed(path.name)
            try:
                scan(path)
                self._convert(path, target, step)
                tensors += compare(path, target)
            except NotTensors as error:
                target.unlink(missing_ok=True)
                raise UserError(
                    "TS-MODEL-025", f"{path.name} is not read: it holds something else than tensors.", why=str(error),
                    fix="Use a revision of the model that has *.safetensors. What is named there would run when the file is loaded.",
                ) from None  # fmt: skip
            step.log(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB, equal to {path.name} to the last bit")
        step.progress(len(files), len(files), what="read pickles", unit="files")
        _copy_beside(source.path, output, files)
        step.decide("pickled weights", f"{tensors} tensors, read out of {len(files)} files after a scan, are equal to what those hold")
        before, after = sum(path.stat().st_size for path in files), weights_size(output)
        return Result(metrics={"bytes": float(after), "ratio": after / before if before else 0.0, "tensors": float(tensors)})

    def _require_allowed(self, path: Path) -> None:
        if self.settings.allow == "scanned":
            return
        from tunesmith.contracts.digests import file_sha256

        digest = file_sha256(path).removeprefix("sha256:")
        if digest not in self.settings.allow.split():
            raise UserError(
                "TS-MODEL-027", f"{path.name} is not one of the pickles that `allow` lists.", why=f"Its SHA-256 is {digest}.",
                fix="If that is the file that you mean, add it to `allow`, with a space between.",
            )  # fmt: skip

    def _convert(self, path: Path, target: Path, step: Step) -> None:
        cut = "cut" if self.settings.without_network else "open"
        words = [sys.executable, "-I", reading_process.__file__, str(path), str(target), cut]
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        log = step.work / "reading.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, start_new_session=True,
                preexec_fn=die_with_parent(),
            )  # fmt: skip
            try:
                while process.poll() is None:
                    step.check_cancelled()
                    try:
                        process.wait(_POLL)
                    except subprocess.TimeoutExpired:
                        continue
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        reason = (log.read_text("utf-8", "replace").strip().splitlines() or [""])[-1]
        if process.returncode == reading_process.CANT_CUT:
            raise UserError(
                "TS-MODEL-026", "This machine can't cut a process off from the network, so no pickle is read.", why=reason,
                fix="Convert it on Linux with user namespaces, or write `without_network: false`: it is scanned and compared all the same.",
            )  # fmt: skip
        if process.returncode == reading_process.REFUSED:
            raise NotTensors(f"PyTorch does not load it: {reason}.")
        if process.returncode:
            raise TunesmithError(
                "TS-MODEL-010", f"The process that reads {path.name} ended with status {process.returncode}.", why=reason,
                fix="If memory ran out, convert the model on a machine with more of it.",
            )  # fmt: skip


def pickled_files(directory: Path) -> list[Path]:
    """The files that transformers would read: those of the index, else `pytorch_model.bin`, else the shards."""
    if (index := directory / INDEX).is_file():
        return [directory / Path(name).name for name in sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))]
    if (whole := directory / "pytorch_model.bin").is_file():
        return [whole]
    found = sorted(path for path in directory.iterdir() if _NAME.fullmatch(path.name))
    return [path for path in found if _SHARD.fullmatch(path.name)] or found


def _renamed(name: str) -> str:
    """As transformers names the same shard in safetensors."""
    return _NAME.sub(r"model\1.safetensors", name)


def _copy_beside(source: Path, output: Path, files: list[Path]) -> None:
    for path in sorted(source.rglob("*")):
        if not path.is_file() or _NAME.fullmatch(path.name):
            continue
        target = output / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name == INDEX:
            said = json.loads(path.read_text("utf-8"))
            said["weight_map"] = {name: _renamed(file) for name, file in said["weight_map"].items()}
            target.with_name(NEW_INDEX).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
        else:
            shutil.copyfile(path, target)
