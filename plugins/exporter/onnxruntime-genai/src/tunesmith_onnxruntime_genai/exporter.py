"""model/hf -> model/onnxruntime-genai, by the builder that comes with ONNX Runtime's generate()."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_models.converter_process import run_converter
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_onnxruntime_genai.runtime import BITS
from tunesmith_onnxruntime_genai.settings import OnnxRuntimeGenAISettings

STAGES = ("Reading", "Saving ONNX", "Saving GenAI")  # what the builder says on its way


class OnnxRuntimeGenAIExporter:
    def __init__(self, settings: OnnxRuntimeGenAISettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write `model.onnx`, its weights beside it, `genai_config.json` and the tokenizer's files.

        Raises:
            TunesmithError: TS-MODEL-010 when the builder knows not the architecture.
        """
        before, log = weights_size(source.path), step.work / "log"

        def look() -> None:
            step.check_cancelled()
            said = log.read_text("utf-8", "replace") if log.exists() else ""
            step.progress(sum(stage in said for stage in STAGES), len(STAGES), what="convert to ONNX")

        run_converter(
            command(source.path, output, step.work / "cache", self.settings), log, look, whose="ONNX Runtime GenAI",
            fix="It has to be a checkpoint in Hugging Face's layout whose architecture onnxruntime-genai knows; the exporter "
            "`gguf` knows others.",
        )  # fmt: skip
        copy_beside(source.path, output)
        shutil.copyfile(source.path / "config.json", output / "config.json")  # for who asks a model's sizes
        after = sum(path.stat().st_size for path in output.glob("model.onnx*"))
        step.log(f"model.onnx: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB ({self.settings.dtype})")
        metrics = {"bytes": float(after), "ratio": after / before if before else 0.0}
        return Result(metrics=metrics, meta={"bits": BITS[self.settings.dtype]})


def command(model: Path, output: Path, cache: Path, settings: OnnxRuntimeGenAISettings) -> tuple[str, ...]:
    """The interpreter of this environment, running the builder on a model's directory."""
    words = (sys.executable, "-m", "onnxruntime_genai.models.builder", "-m", str(model), "-o", str(output), "-c", str(cache))
    words += ("-p", "fp32" if settings.dtype == "float32" else settings.dtype, "-e", "cpu")
    return words + (() if settings.dtype == "float32" else ("--extra_options", f"block_size={settings.group_size}"))
