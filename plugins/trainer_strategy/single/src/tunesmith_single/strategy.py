"""One process, one device: nothing to agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from tunesmith.contracts import Placement
from tunesmith_torch.api.parameters import load_named_state, named_state, trained


class SingleProcess:
    """The strategy `single`."""

    def start(self, placement: Placement) -> torch.device:
        return torch.device(placement.torch)

    def wrap(
        self, model: torch.nn.Module, optimizer: Callable[[Iterable[tuple[str, Any]]], torch.optim.Optimizer]
    ) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        return model, optimizer(list(trained(model)))

    def accumulating(self, model: torch.nn.Module, last: bool) -> AbstractContextManager[None]:
        return nullcontext()

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        return value

    def clip(self, model: torch.nn.Module, limit: float) -> float:
        parameters = [parameter for _, parameter in trained(model)]
        return float(torch.nn.utils.clip_grad_norm_(parameters, limit if limit > 0 else float("inf")))

    def state(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Any]]:
        return named_state(model, optimizer)

    def load_state(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, dict[str, Any]]) -> None:
        load_named_state(model, optimizer, state)

    def barrier(self) -> None:
        """Nobody to wait for."""

    def finish(self) -> None:
        """Nothing to leave."""
