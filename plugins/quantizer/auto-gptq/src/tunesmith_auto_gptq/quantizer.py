"""The quantizer: AutoGPTQ 0.7.1 goes through the layers (Frantar et al., GPTQ, 2023, arXiv:2210.17323).

The library refuses to load a model for quantizing where there is no CUDA, and moves layers to the first such device; what it computes needs
none. Here it is given the model loaded, and the processor for that device.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import auto_gptq.modeling._base as library
import torch
import transformers
from auto_gptq import BaseQuantizeConfig
from auto_gptq.modeling.auto import GPTQ_CAUSAL_LM_MODEL_MAP

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_auto_gptq.safetensors_header import drop_metadata
from tunesmith_auto_gptq.settings import AutoGptqSettings
from tunesmith_models import ModelShape
from tunesmith_models.group_size import fitting_group_size
from tunesmith_models.model_directory import copy_beside, older_view, weights_size
from tunesmith_models.weight_check import load_whole, unloadable
from tunesmith_quantization.calibration import calibration_tokens


class AutoGptq:
    def __init__(self, settings: AutoGptqSettings) -> None:
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
        group_size = fitting_group_size(ModelShape.from_config(loaded.config.to_dict()), settings.group_size)
        rows = calibration_tokens(calibration, tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step)
        config = BaseQuantizeConfig(
            bits=settings.bits, group_size=group_size, desc_act=settings.desc_act, sym=settings.sym, damp_percent=settings.damp_percent,
            model_file_base_name="model",
        )  # fmt: skip
        wrapped = GPTQ_CAUSAL_LM_MODEL_MAP[loaded.config.model_type](loaded, False, config)
        examples = [{"input_ids": ids, "attention_mask": [1] * len(ids)} for ids in rows]
        try:
            with _on(torch.device(step.placement.torch)), _watched(step):
                wrapped.quantize(examples, batch_size=settings.batch_size, use_triton=False)
        except torch.linalg.LinAlgError as error:
            raise UserError(
                "TS-QUANT-003",
                f"A matrix can't be quantized: what it reads on these rows has no inverse with `damp_percent` {settings.damp_percent:g}",
                why=str(error), fix="Raise `damp_percent` (0.01 does for most), or calibrate on more rows.",
            ) from error  # fmt: skip
        wrapped.model.half()
        wrapped.model.config.torch_dtype = wrapped.model.config.dtype = "float16"  # newer readers take the second
        wrapped.save_quantized(str(output))
        drop_metadata(output / "model.safetensors")
        copy_beside(older, output)  # for readers of its time
        before, after = weights_size(model.path), weights_size(output)
        step.log(f"quantized to {settings.bits} bits on {len(rows)} rows: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        return Result(metrics={"bytes": float(after), "ratio": after / before}, meta={"rows": len(rows)})

    def _load(self, path: Path) -> tuple[Any, Any]:
        loaded = load_whole(transformers.AutoModelForCausalLM.from_pretrained, path, torch_dtype=torch.float32)
        try:
            if loaded.config.model_type not in GPTQ_CAUSAL_LM_MODEL_MAP:
                raise ValueError(f"AutoGPTQ does not know the architecture {loaded.config.model_type}")
            return transformers.AutoTokenizer.from_pretrained(path, local_files_only=True), loaded
        except (OSError, ValueError, KeyError) as error:
            raise unloadable(path, error) from error


@contextmanager
def _on(device: torch.device) -> Iterator[None]:
    """The library's only device for computing is this one."""
    first, synchronize = library.CUDA_0, torch.cuda.synchronize
    library.CUDA_0 = device
    if device.type == "cpu":
        torch.cuda.synchronize = lambda device=None: None
    try:
        yield
    finally:
        library.CUDA_0, torch.cuda.synchronize = first, synchronize


@contextmanager
def _watched(step: Step) -> Iterator[None]:
    """The library tells its log of each matrix before it begins: there the step hears how far it is, and can be stopped."""

    def hear(record: logging.LogRecord) -> bool:
        step.check_cancelled()
        if place := re.search(r"layer (\d+)/(\d+)", record.getMessage()):
            step.progress(int(place[1]) - 1, int(place[2]), what="quantizing", unit="layers")
        return True

    log = library.logger
    log.addFilter(hear)
    level = log.level
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeFilter(hear)
        log.setLevel(level)
