"""model/hf -> model/openvino, by optimum-intel."""

from __future__ import annotations

import shutil
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_models.converter_process import run_converter
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_openvino.conversion import WEIGHTS, command
from tunesmith_openvino.settings import OpenVinoExportSettings

BITS = {"float32": 32, "bfloat16": 16, "float16": 16}


class OpenVinoExporter:
    def __init__(self, settings: OpenVinoExportSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write the model, its tokenizer in OpenVINO's form too, and the tokenizer's own files.

        Raises:
            TunesmithError: TS-MODEL-010 when optimum-intel knows not the architecture.
        """
        before, folder = weights_size(source.path), step.work / "converted"
        shutil.rmtree(folder, ignore_errors=True)

        def look() -> None:
            step.check_cancelled()
            step.progress(0, 1, what="convert to OpenVINO")

        run_converter(
            command(source.path, folder, self.settings.weight_format), step.work / "log", look, whose="OpenVINO",
            fix="It has to be a checkpoint in Hugging Face's layout whose architecture optimum-intel knows.",
        )  # fmt: skip
        for path in sorted(folder.iterdir()):
            shutil.move(path, output / path.name)
        copy_beside(source.path, output)
        after = (output / WEIGHTS).stat().st_size
        step.progress(1, 1, what="convert to OpenVINO")
        step.log(f"{WEIGHTS}: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        metrics = {"bytes": float(after), "ratio": after / before if before else 0.0}
        return Result(metrics=metrics, meta={"bits": 8 if self.settings.weight_format == "int8" else 16})
