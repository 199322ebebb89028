"""The quantizer: AutoAWQ 0.2.9 goes through the layers, scaling channels by what they read on the rows (arXiv:2306.00978)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import transformers
from awq import AutoAWQForCausalLM
from awq.quantize.quantizer import AwqQuantizer

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_autoawq.settings import AutoAwqSettings
from tunesmith_models import ModelShape
from tunesmith_models.group_size import fitting_group_size
from tunesmith_models.model_directory import copy_beside, older_view, weights_size
from tunesmith_models.weight_check import load_whole, unloadable
from tunesmith_quantization.calibration import calibration_tokens

ROWS = 64  # of a matrix, which the library clips together


class AutoAwq:
    def __init__(self, settings: AutoAwqSettings) -> None:
        self.settings = settings

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Calibrate, quantize and save.

        Raises:
            UserError: TS-MODEL-008, -020, -022, -023: the model can't be loaded whole; TS-QUANT-001: the group size does not fit it;
                TS-QUANT-002: no rows.
        """
        settings = self.settings
        transformers.set_seed(step.seed)
        older = older_view(model.path, step.work / "model")
        tokenizer, loaded = self._load(older)
        shape = ModelShape.from_config(loaded.model.config.to_dict())
        group_size = fitting_group_size(shape, settings.group_size)
        rows = calibration_tokens(calibration, tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step)
        loaded.quantize(
            tokenizer, quant_config={"zero_point": True, "q_group_size": group_size, "w_bit": 4, "version": "GEMM"},
            calib_data=rows, max_calib_samples=len(rows), max_calib_seq_len=_length(rows, settings.max_seq_length),
            apply_clip=settings.apply_clip and self._clips(shape, step), quantizer_cls=_watched(step),
        )  # fmt: skip
        step.check_cancelled()
        loaded.model.half()
        loaded.model.config.torch_dtype = loaded.model.config.dtype = "float16"  # newer readers take the second
        loaded.save_quantized(str(output))
        copy_beside(older, output)  # for readers of its time
        before, after = weights_size(model.path), weights_size(output)
        step.log(f"quantized to 4 bits on {len(rows)} rows: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        return Result(metrics={"bytes": float(after), "ratio": after / before}, meta={"rows": len(rows)})

    def _load(self, path: Path) -> tuple[Any, Any]:
        load_whole(transformers.AutoModelForCausalLM.from_pretrained, path, torch_dtype="auto")  # and dropped: AutoAWQ does not report
        try:
            return (
                transformers.AutoTokenizer.from_pretrained(path, local_files_only=True),
                AutoAWQForCausalLM.from_pretrained(str(path), device_map="cpu", torch_dtype="float32", trust_remote_code=False),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise unloadable(path, error) from error

    def _clips(self, shape: ModelShape | None, step: Step) -> bool:
        odd = sorted({linear.outputs for linear in shape.linears if linear.outputs % ROWS}) if shape else []
        if odd:
            step.decide("weights are not clipped", f"AutoAWQ clips {ROWS} rows together, and there are matrices with {odd[0]}")
        return not odd


def _length(rows: list[list[int]], wanted: int) -> int:
    """Of the sequences that the library joins rows to: at least one has to be full."""
    return min(wanted, sum(map(len, rows)))


def _watched(step: Step) -> type[AwqQuantizer]:
    class Watched(AwqQuantizer):
        """Tells how far it has come, and stops when the step is asked to."""

        done = 0

        def _search_best_scale(self, *arguments: Any, **more: Any) -> Any:
            step.check_cancelled()
            return super()._search_best_scale(*arguments, **more)

        def _apply_quant(self, *arguments: Any, **more: Any) -> None:
            super()._apply_quant(*arguments, **more)
            self.done += 1
            step.progress(self.done, len(self.modules), what="quantizing", unit="layers")

    return Watched
