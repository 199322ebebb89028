"""model/hf -> model/onnx, by PyTorch's exporter."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_models import configuration
from tunesmith_models.converter_process import run_converter
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_onnx.conversion import FOLDER, STAGES
from tunesmith_onnx.estimate import check_layers
from tunesmith_onnx.settings import OnnxSettings


class OnnxExporter:
    def __init__(self, settings: OnnxSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write `onnx/model.onnx`, its weights beside it, the config and the tokenizer's files.

        Raises:
            UserError: TS-EXPORT-005 for layers without keys and values.
            TunesmithError: TS-MODEL-010 when the model's code can't be traced.
        """
        check_layers(configuration(source.path))
        before, folder, log = weights_size(source.path), step.work / "converted", step.work / "log"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

        def look() -> None:
            step.check_cancelled()
            said = log.read_text("utf-8", "replace") if log.exists() else ""
            step.progress(sum(stage in said for stage in STAGES), len(STAGES), what="convert to ONNX")

        run_converter(
            command(source.path, folder, self.settings.opset), log, look, whose="torch.onnx",
            fix="It has to be a checkpoint in Hugging Face's layout whose code PyTorch can trace; the exporters `onnxruntime-genai` and "
            "`gguf` know others.",
        )  # fmt: skip
        shutil.move(folder, output / FOLDER)
        copy_beside(source.path, output)
        shutil.copyfile(source.path / "config.json", output / "config.json")
        after = sum(path.stat().st_size for path in (output / FOLDER).iterdir())
        step.log(f"{FOLDER}: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        return Result(metrics={"bytes": float(after), "ratio": after / before if before else 0.0}, meta={"bits": 32})


def command(model: Path, folder: Path, opset: int) -> tuple[str, ...]:
    """The program that converts, in the interpreter of this environment."""
    return sys.executable, "-m", "tunesmith_onnx.conversion", str(model), str(folder), str(opset)
