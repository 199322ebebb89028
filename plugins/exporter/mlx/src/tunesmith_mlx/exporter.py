"""model/hf -> model/mlx, by mlx-lm."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_mlx.estimate import check_groups
from tunesmith_mlx.settings import MlxSettings
from tunesmith_models import ModelShape, configuration, stored_type
from tunesmith_models.converter_process import run_converter
from tunesmith_models.model_directory import copy_beside, weights_size

STAGES = ("Loading", "Quantizing")  # what mlx-lm says on its way
CARD = "README.md"  # of a repository on a hub
STORED = {"float32": 32, "bfloat16": 16, "float16": 16}


class MlxExporter:
    def __init__(self, settings: MlxSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write weights and config as MLX reads them, and the tokenizer's files.

        Raises:
            UserError: TS-QUANT-001 for groups that don't divide a matrix of the model.
            TunesmithError: TS-MODEL-010 when mlx-lm knows not the architecture.
        """
        config = configuration(source.path)
        check_groups(ModelShape.from_config(config), vars(self.settings))
        before, folder, log = weights_size(source.path), step.work / "converted", step.work / "log"
        shutil.rmtree(folder, ignore_errors=True)

        def look() -> None:
            step.check_cancelled()
            said = log.read_text("utf-8", "replace") if log.exists() else ""
            step.progress(sum(stage in said for stage in STAGES), len(STAGES), what="convert to MLX")

        run_converter(
            command(source.path, folder, self.settings), log, look, whose="MLX",
            fix="It has to be a checkpoint in Hugging Face's layout whose architecture mlx-lm knows; the exporter `gguf` knows others.",
        )  # fmt: skip
        (folder / CARD).unlink(missing_ok=True)
        for path in sorted(folder.iterdir()):
            shutil.move(path, output / path.name)
        copy_beside(source.path, output)
        after = weights_size(output)
        step.log(f"MLX: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        dtype = stored_type(config) if self.settings.dtype == "auto" else self.settings.dtype
        metrics = {"bytes": float(after), "ratio": after / before if before else 0.0}
        return Result(metrics=metrics, meta={"bits": self.settings.bits or STORED.get(dtype, 16)})


def command(model: Path, folder: Path, settings: MlxSettings) -> tuple[str, ...]:
    """The interpreter of this environment, running mlx-lm on a model's directory."""
    words = (sys.executable, "-m", "mlx_lm", "convert", "--hf-path", str(model), "--mlx-path", str(folder))
    if settings.bits:
        words += ("--quantize", "--q-bits", str(settings.bits), "--q-group-size", str(settings.group_size))
    return words if settings.dtype == "auto" else (*words, "--dtype", settings.dtype)
