"""The quantizer: LLM Compressor goes through the layers, and rounds their weights with scales that engines' kernels take.

gptq: argmin_Q || W X - Q X ||^2 on the rows (Frantar et al., 2023, arXiv:2210.17323); rtn: the nearest level. Scales of activations (FP8)
and of the KV cache are the largest that was seen on the rows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from llmcompressor.modifiers.gptq import GPTQModifier
from llmcompressor.modifiers.quantization import QuantizationModifier

from tunesmith.contracts import Step, UserError
from tunesmith_compressed_tensors.schemes import KV_CACHE, SCHEMES, Scheme
from tunesmith_compressed_tensors.settings import CompressedTensorsSettings
from tunesmith_quantization.llm_compressor import LlmCompressorQuantizer, Watched


class CompressedTensors(LlmCompressorQuantizer):
    settings: CompressedTensorsSettings

    @property
    def scheme(self) -> Scheme:
        return SCHEMES[self.settings.scheme]

    @property
    def grouped(self) -> bool:  # type: ignore[override]
        return self.scheme.grouped

    @property
    def bits(self) -> int:
        return self.scheme.bits

    def recipe(self, group_size: int) -> Sequence[Any]:
        settings = self.settings
        said: dict[str, Any] = {"ignore": ["lm_head"], "config_groups": {"group_0": self.scheme.group(group_size)}}
        if settings.kv_cache_dtype == "fp8":
            said["kv_cache_scheme"] = KV_CACHE
        if settings.algorithm == "gptq":
            return (_WatchedGptq(dampening_frac=settings.damp_percent, **said),)
        return (_WatchedRounding(**said),)

    def oneshot(self, **told: Any) -> None:
        """
        Raises:
            UserError: TS-QUANT-003: a matrix's Hessian has no inverse.
        """
        try:
            super().oneshot(**told)
        except torch.linalg.LinAlgError as error:
            damp = self.settings.damp_percent
            raise UserError(
                "TS-QUANT-003", f"A matrix can't be quantized: what it reads on these rows has no inverse with `damp_percent` {damp:g}",
                why=str(error), fix="Raise `damp_percent` (0.01 does for most), or calibrate on more rows.",
            ) from error  # fmt: skip


class _WatchedGptq(Watched, GPTQModifier):
    _step: Step
    _layers: int
    _done: int = 0


class _WatchedRounding(Watched, QuantizationModifier):
    _step: Step
    _layers: int
    _done: int = 0
