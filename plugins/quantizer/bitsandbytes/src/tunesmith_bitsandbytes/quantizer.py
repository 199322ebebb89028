"""The quantizer: transformers loads the model through bitsandbytes, and what it has then is written.

On processors with AVX512-BF16 bitsandbytes repacks a layer's weights at its first forward pass, for its own kernel. So nothing runs
through the model before it is saved: what is written is the plain format that every reader knows.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_bitsandbytes.experts import check_experts
from tunesmith_bitsandbytes.settings import BitsAndBytesSettings
from tunesmith_bitsandbytes.state_spaces import check_state_spaces
from tunesmith_models import ModelShape, configuration
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.weight_check import load_whole


class BitsAndBytes:
    def __init__(self, settings: BitsAndBytesSettings) -> None:
        self.settings = settings

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Needs no calibration.

        Raises:
            UserError: TS-MODEL-008, -020, -022, -023 when it can't be loaded whole, TS-MODEL-021 when nothing in it can be quantized,
                TS-QUANT-007 when it has experts, which would not be, TS-QUANT-010 when its code reads a matrix itself.
        """
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        config, skipped = configuration(model.path), self.settings.llm_int8_skip_modules
        check_experts(ModelShape.from_config(config), skipped)
        check_state_spaces(config, skipped)
        step.check_cancelled()
        step.progress(0, 3, what="quantizing", unit="stages")
        loaded = self._load(model.path, step.placement.torch)
        layers = sum(type(module).__module__.startswith("bitsandbytes.") for module in loaded.modules())
        if not layers:
            raise UserError(
                "TS-MODEL-021", "The model has no linear layer to quantize",
            why="All of them are in the setting `llm_int8_skip_modules`, or it has none.",
                fix="Shorten the list `llm_int8_skip_modules`.",
            )  # fmt: skip
        step.check_cancelled()
        step.progress(1, 3, what="quantizing", unit="stages")
        loaded.save_pretrained(output, max_shard_size="5GB")  # the files must not change with the library's default
        step.progress(2, 3, what="quantizing", unit="stages")
        copy_beside(model.path, output)
        before, after = weights_size(model.path), weights_size(output)
        step.progress(3, 3, what="quantizing", unit="stages")
        step.log(f"{layers} layers quantized to {self.settings.quant_type}: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        return Result(metrics={"bytes": float(after), "ratio": after / before}, meta={"layers": layers})

    def _load(self, path: Path, device: str) -> transformers.PreTrainedModel:
        settings = self.settings
        four_bits = settings.quant_type != "int8"
        config = transformers.BitsAndBytesConfig(
            load_in_4bit=four_bits, load_in_8bit=not four_bits, bnb_4bit_quant_type=settings.quant_type if four_bits else "nf4",
            bnb_4bit_use_double_quant=settings.bnb_4bit_use_double_quant, bnb_4bit_compute_dtype=settings.dtype,
            llm_int8_skip_modules=["lm_head", *settings.llm_int8_skip_modules] if settings.llm_int8_skip_modules else None,
             # None: transformers leaves out the head itself
        )  # fmt: skip
        load = transformers.AutoModelForCausalLM.from_pretrained
        load_whole(load, path, device_map={"": "meta"})  # what it quantizes, the library does not hold against the sizes it should have
        return load_whole(load, path, quantization_config=config, device_map={"": device}, dtype=getattr(torch, settings.dtype))
