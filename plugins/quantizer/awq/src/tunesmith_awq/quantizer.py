"""The quantizer: LLM Compressor goes through the layers and scales the channels that matter before their weights are rounded.

W x = (W diag(s)) (diag(s)^-1 x),  s = mean|x|^a / mean|w|^(1-a),  a the best of a grid by || W x - Q(W diag(s)) diag(s)^-1 x ||
(Lin et al., AWQ, 2023, arXiv:2306.00978)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from llmcompressor.modifiers.quantization import QuantizationModifier
from llmcompressor.modifiers.transform.awq import AWQModifier
from llmcompressor.pipelines.cache import IntermediatesCache

from tunesmith.contracts import Step
from tunesmith_awq.settings import AwqSettings
from tunesmith_quantization.llm_compressor import LlmCompressorQuantizer, Watched


class Awq(LlmCompressorQuantizer):
    settings: AwqSettings

    @property
    def bits(self) -> int:
        return self.settings.bits

    def recipe(self, group_size: int) -> Sequence[Any]:
        settings = self.settings
        weights = {
            "num_bits": settings.bits, "type": "int", "symmetric": settings.sym, "group_size": group_size, "strategy": "group",
        }  # fmt: skip
        return (
            _WatchedAwq(duo_scaling=settings.duo_scaling, n_grid=settings.n_grid),
            QuantizationModifier(ignore=["lm_head"], config_groups={"group_0": {"targets": ["Linear"], "weights": weights}}),
        )

    def oneshot(self, **told: Any) -> None:
        with _pinning_only_for_accelerators():
            super().oneshot(**told)


class _WatchedAwq(Watched, AWQModifier):
    _step: Step
    _layers: int
    _done: int = 0

    def _compute_best_scale(self, *arguments: Any, **more: Any) -> Any:
        self._step.check_cancelled()
        return super()._compute_best_scale(*arguments, **more)


@contextmanager
def _pinning_only_for_accelerators() -> Iterator[None]:
    """AWQ in LLM Compressor 0.14 pins memory without looking whether there is a device to copy it to, and torch refuses."""
    original = IntermediatesCache.pin_memory
    if not torch.accelerator.is_available():
        IntermediatesCache.pin_memory = lambda self, batch_index, input_names=None: None
    try:
        yield
    finally:
        IntermediatesCache.pin_memory = original
