"""The verb, and the converter."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from tunesmith.contracts import Artifact, Step, TunesmithError

STAMP, CHUNK = "STAMP.json", 8 << 20


def run(step: Step) -> None:
    """Copy the model, with a stamp on it."""
    sums = _copy(step.inputs["model"].path, step.output, step)
    audience = step.settings.audience
    said = {"audience": audience, "files": sums, "seal": _seal(audience, sums)}
    (step.output / STAMP).write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")


class Unstamp:
    """Gives back the model under a stamp, if it is still the one that was stamped."""

    def export(self, source: Artifact, output: Path, step: Step) -> None:
        sums = _copy(source.path, output, step)
        said = json.loads((source.path / STAMP).read_text(encoding="utf-8"))
        if sums != said["files"] or said.get("seal") != _seal(said["audience"], sums):
            raise TunesmithError("ACME-STAMP-001", "the model is not the one that was stamped", fix="Have it stamped again.")


def _seal(audience: str, sums: Mapping[str, str]) -> str:
    """For whom the model is released is sealed with its files: neither is exchanged unnoticed."""
    return hashlib.sha256(json.dumps([audience, sums], sort_keys=True).encode()).hexdigest()


def _copy(source: Path, output: Path, step: Step) -> dict[str, str]:
    """Copies all but a stamp; the SHA-256 of each file."""
    sums = {}
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_dir() or name == STAMP:
            continue
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, output / name)
        digest = hashlib.sha256()
        with (output / name).open("rb") as file:
            while chunk := file.read(CHUNK):
                step.check_cancelled()
                digest.update(chunk)
        sums[name] = digest.hexdigest()
    return sums
