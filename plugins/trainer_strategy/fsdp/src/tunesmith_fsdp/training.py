"""A sharded model in training: as any torch module, but for what has to see parameters whole."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.distributed.fsdp import FSDPModule

from tunesmith.contracts.kinds.trainer_strategy import Output
from tunesmith_torch.api.training import TorchTraining, whole_parameters


class ShardedTraining(TorchTraining):
    """Args:
    first: whether this is the rank that is given whole parameters.
    """

    def __init__(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, *, first: bool) -> None:
        super().__init__(model, optimizer)
        self.first = first

    def forward(self, batches: Sequence[Any]) -> list[Output]:
        outputs = super().forward(batches)
        for module in self.model.modules():  # no backward pass follows, after which they would be divided again
            if isinstance(module, FSDPModule):
                module.reshard()
        return outputs

    def clip(self, limit: float, scale: float = 1.0) -> float:
        norm: Any = self.unscaled_norm(limit, scale)
        return float(norm.full_tensor())

    def whole(self) -> AbstractContextManager[torch.nn.Module]:
        return whole_parameters(self.model, lambda parameter: parameter.detach().full_tensor(), first=self.first)  # type: ignore[attr-defined]
