"""A sharded model in training: as any torch module, but for what has to see parameters whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.distributed.fsdp import FSDPModule

from tunesmith_torch.api.training import TorchTraining, trained


class ShardedTraining(TorchTraining):
    """Args:
    first: whether this is the rank that is given whole parameters.
    """

    def __init__(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, *, first: bool) -> None:
        super().__init__(model, optimizer)
        self.first = first

    def forward(self, batches: Sequence[Any]) -> list[torch.Tensor]:
        outputs = super().forward(batches)
        for module in self.model.modules():  # no backward pass follows, after which they would be divided again
            if isinstance(module, FSDPModule):
                module.reshard()
        return outputs

    def clip(self, limit: float) -> float:
        parameters = [parameter for _, parameter in trained(self.model)]
        norm: Any = torch.nn.utils.clip_grad_norm_(parameters, limit if limit > 0 else float("inf"))
        return float(norm.full_tensor())

    @contextmanager
    def whole(self) -> Iterator[torch.nn.Module]:
        """Parameters are gathered one after the other into the first rank's host memory."""
        kept: list[tuple[torch.nn.Module, str, torch.nn.Parameter]] = []
        seen: dict[torch.nn.Parameter, torch.nn.Parameter] = {}
        for module in self.model.modules():
            for name, parameter in list(module._parameters.items()):
                if parameter is None:
                    continue
                if parameter not in seen:
                    gathered = parameter.detach().full_tensor()  # type: ignore[attr-defined]
                    seen[parameter] = torch.nn.Parameter(gathered.cpu(), parameter.requires_grad) if self.first else parameter
                kept.append((module, name, parameter))
                module._parameters[name] = seen[parameter]
        try:
            yield self.model
        finally:
            for module, name, parameter in kept:
                module._parameters[name] = parameter
