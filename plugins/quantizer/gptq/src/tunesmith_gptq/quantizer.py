"""The quantizer: GPTQModel goes through the layers, quantizing each so that what it computes on the rows changes least.

argmin_Q || W X - Q X ||^2,  column after column, the error of one made up for in those that follow
(Frantar et al., GPTQ, 2023, arXiv:2210.17323)
"""

from __future__ import annotations

import math
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GPTQMODEL_CPU_WORKERS", str(min(4, os.cpu_count() or 1)))

import torch
import transformers
from gptqmodel import GPTQModel, QuantizeConfig

from tunesmith.contracts import Artifact, Result, Step, TunesmithError
from tunesmith_gptq.estimate import LIBRARY
from tunesmith_gptq.settings import GptqSettings
from tunesmith_models.group_size import fitting_group_size
from tunesmith_models.weight_check import load_whole, unloadable
from tunesmith_quantization import refuse_experts
from tunesmith_quantization.calibration import calibration_tokens
from tunesmith_quantization.checkpoint import Checkpoint, quantized

TIMES = "quant_log.csv"  # how long each layer took: no part of a model, and another on every run


class Gptq:
    def __init__(self, settings: GptqSettings) -> None:
        self.settings = settings

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Calibrate, quantize and save.

        Raises:
            UserError: TS-MODEL-008, -020, -022, -023: the model can't be loaded whole; TS-QUANT-001: the group size does not fit it;
                TS-QUANT-002: no rows; TS-QUANT-008: it has experts.
            TunesmithError: TS-QUANT-003: a matrix comes out without a finite error.
        """
        found = Checkpoint.open(model, step)
        refuse_experts(found.shape, LIBRARY)
        settings = self.settings
        group_size = fitting_group_size(found.shape, settings.group_size)
        tokens = calibration_tokens(
            calibration, found.tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step
        )
        loaded = self._load(found, group_size, step)
        watch = _Watch(step, found.layers)
        loaded.layer_callback, loaded.subset_callback = watch.layer, watch.subset
        rows = [{"input_ids": ids, "attention_mask": [1] * len(ids)} for ids in tokens]
        losses = loaded.quantize(rows, batch_size=settings.batch_size, tokenizer=found.tokenizer, calibration_data_min_length=1)
        mean = _mean_loss(losses)
        step.check_cancelled()
        _keep_type(loaded.model, found.stored)
        loaded.save(str(output))
        (output / TIMES).unlink(missing_ok=True)
        return quantized(
            model, output, step, bits=settings.bits, rows=len(rows), metrics={"loss": mean}, matrices=len(losses["gptq"])
        )  # fmt: skip

    def _load(self, found: Checkpoint, group_size: int, step: Step) -> GPTQModel:
        settings = self.settings
        config = QuantizeConfig(
            bits=settings.bits, group_size=group_size, desc_act=settings.desc_act, sym=settings.sym, damp_percent=settings.damp_percent,
            act_group_aware=group_size > 0 and not settings.desc_act,  # the library's own default, which fails without groups
            offload_to_disk=False, pack_impl="original",  # the others compile C++ when they first run
        )  # fmt: skip
        load_whole(transformers.AutoModelForCausalLM.from_pretrained, found.path, device_map={"": "meta"})  # GPTQModel does not report
        try:
            return GPTQModel.load(str(found.path), config, device=step.placement.torch, dtype=found.dtype, trust_remote_code=False)
        except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
            raise unloadable(found.path, error) from error


def _keep_type(model: torch.nn.Module, stored: torch.dtype) -> None:
    """What is not quantized is written in the type that it had; quantized matrices hold buffers, which stay."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(stored)
    model.config.dtype = stored


class _Watch:
    """Hears of each layer that is done; what it raises ends the work."""

    def __init__(self, step: Step, layers: int) -> None:
        self._step, self._layers = step, layers

    def layer(self, layer_idx: int, submodule_finalized: bool) -> None:
        self._step.check_cancelled()
        self._step.progress(layer_idx + 1, self._layers, what="quantizing", unit="layers")

    def subset(self, **_: object) -> None:
        self._step.check_cancelled()


def _mean_loss(found: dict[str, list[dict[str, str]]]) -> float:
    """Mean over the quantized matrices of the squared error of what they compute."""
    losses = {f"layer {one['layer']} {one['module']}": float(one["loss"]) for one in found["gptq"]}
    broken = [name for name, loss in losses.items() if not math.isfinite(loss)]
    if broken:
        raise TunesmithError(
            "TS-QUANT-003", f"{len(broken)} matrices can't be quantized: {', '.join(broken[:3])}",
            why="The error of what they compute is not a finite number: the model's weights or what it computes on the rows are not.",
            fix="Evaluate the model before quantizing it; raise `damp_percent`, or give other rows.",
        )  # fmt: skip
    return math.fsum(losses.values()) / len(losses)
