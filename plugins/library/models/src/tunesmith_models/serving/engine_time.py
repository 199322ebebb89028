"""How long an engine takes for an expected load, from the device's data sheet.

Not verified on hardware: it is there to compare engines and settings, not to promise. What of a data sheet's figures is reached are the
shares that training is estimated with, which others publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from tunesmith_models.model_size import ModelShape
from tunesmith_models.serving.expected_load import ExpectedLoad

COMPUTED = 0.4  # of the matrix units' peak: torchtitan's docs/performance.md tells 0.52 to 0.58 of A100's for Llama 3, and less of H100's
MOVED = 0.7  # of a bandwidth: NCCL's tests come to 208 of 300 GB/s on A100 (nccl-tests#178) and to 370 of 450 on H100 (#212)
KERNEL = 10e-6  # seconds in which a host launches a kernel: Python, PyTorch's dispatcher and the driver
ALONE = 30 * KERNEL  #: seconds of a host for a layer and step where it launches each kernel by itself, about thirty of them
CAPTURED = 1e-6  #: the same where a step was captured once as a graph, which the device runs by itself
REDUCTIONS = 2  # of a layer's hidden states among devices that share it


@dataclass(frozen=True)
class EngineTime:
    """
    Args:
        dtype: computed in.
        weights: bytes of all of them, as they lie in memory.
        kv: bytes of a token's keys and values.
        sequences: most requests under way at the same time.
        shards: devices that share each layer.
        launching: seconds of the host for a layer and step.
    """

    shape: ModelShape
    dtype: str
    weights: float
    kv: float
    sequences: int
    shards: int
    launching: float

    def seconds(self, load: ExpectedLoad, facts: Mapping[str, Any]) -> float:
        """Until a prompt of each that asks is read and answered; 0 where the device's speed is not known (see `Device.facts`)."""
        peak, bandwidth = float(facts.get("flops", {}).get(self.dtype, 0.0)) * COMPUTED, float(facts.get("bandwidth", 0.0)) * MOVED
        if not peak or not bandwidth or (self.shards > 1 and not facts.get("link")):
            return 0.0
        together = min(load.concurrency, self.sequences)
        rounds = ceil(load.concurrency / together)
        reading = together * load.prompt * self.operations(load.prompt / 2) / (peak * self.shards)
        held = together * self.kv * (load.prompt + load.answer / 2)
        passing = (self.touched(together) + held) / (bandwidth * self.shards)
        computing = together * self.operations(load.prompt + load.answer / 2) / (peak * self.shards)
        step = max(passing, computing, self.shape.layers * self.launching)
        sent = self._reducing(load.prompt * together, facts) + load.answer * self._reducing(together, facts)
        return rounds * (reading + load.answer * step + sent)

    def operations(self, before: float) -> float:
        """Of a token that sees so many before it (Kaplan et al., arXiv:2001.08361, 2.1)."""
        matrices = self.shape.active - self.shape.others - (0 if self.shape.tied else self.shape.vocabulary * self.shape.hidden)
        return 2 * matrices + 4 * self.shape.layers * self.shape.heads * self.shape.head_size * before

    def touched(self, tokens: int) -> float:
        """Bytes of weights that a step reads: of experts those that one of the tokens is sent to."""
        shape = self.shape
        unused = 1 - shape.experts_used / shape.experts if shape.experts else 0.0
        idle = (shape.parameters - shape.active) * unused ** (tokens - 1) if unused else 0.0
        return (shape.parameters - idle) * self.weights / shape.parameters

    def _reducing(self, tokens: float, facts: Mapping[str, Any]) -> float:
        """Seconds in which devices that share layers sum up hidden states of a step by a ring, each a kernel of its own."""
        if self.shards < 2:
            return 0.0
        size = tokens * self.shape.hidden * 2 * 2 * (self.shards - 1) / self.shards
        return self.shape.layers * REDUCTIONS * (size / (float(facts["link"]) * MOVED) + KERNEL)
