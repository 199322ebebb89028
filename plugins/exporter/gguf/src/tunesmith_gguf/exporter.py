"""model/hf -> model/gguf: the file by llama.cpp's converter, and beside it the tokenizer that the model had."""

from __future__ import annotations

import shutil
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith.contracts.checkpoints import copy_beside, weights_size
from tunesmith_gguf.converter import command, convert
from tunesmith_gguf.estimate import BYTES
from tunesmith_gguf.settings import GgufSettings

FILE = "model.gguf"


class GgufExporter:
    def __init__(self, settings: GgufSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write `model.gguf` and the tokenizer's files.

        Raises:
            TunesmithError: TS-MODEL-010 when the converter knows not the architecture or the tokenizer.
        """
        file, before = output / FILE, weights_size(source.path)
        expected = before * BYTES[self.settings.type] / 2.0  # most checkpoints have 16 bits a weight; only the bar goes by it

        def look() -> None:
            step.check_cancelled()
            done = file.stat().st_size if file.exists() else 0
            step.progress(min(done, expected), expected, what="convert to GGUF", unit="B")

        convert(command(_named_plainly(source.path, step.work), file, self.settings.type, self.settings.name), step.work / "log", look)
        # a GGUF file holds both in forms of its own: evaluators tokenize with these, planners read the config
        copy_beside(source.path, output)
        shutil.copyfile(source.path / "config.json", output / "config.json")
        after = file.stat().st_size
        step.progress(after, after, what="convert to GGUF", unit="B")
        step.log(f"{FILE}: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB ({self.settings.type})")
        return Result(metrics={"bytes": float(after), "ratio": after / before if before else 0.0})


def _named_plainly(model: Path, work: Path) -> Path:
    """The model under a name that says nothing: the converter takes metadata from the directory's, and the store's is a hash."""
    link = work / "model"
    link.unlink(missing_ok=True)
    link.symlink_to(model.absolute(), target_is_directory=True)
    return link
