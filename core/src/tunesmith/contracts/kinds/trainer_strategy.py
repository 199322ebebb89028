"""Contract of kind ``trainer_strategy``: owns processes and memory of training.

Facts: ``ranks``, the name of the setting that says how many workers the step gets, one rank each (without it: one); the kernel starts them
and ends all when one dies. No other kind's settings make ranks. Capabilities: ``parallel.replicas``, ``parallel.shards``,
``gradients.whole`` (what the optimizer is given are whole matrices with whole gradients, not pieces of them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tunesmith.contracts.step import Placement

Tensor = Any
Module = Any
Optimizer = Any


class TrainerStrategy(Protocol):
    def start(self, placement: Placement) -> Any:
        """Join the other ranks; the torch.device that this rank computes on."""

    def wrap(self, model: Module, optimizer: Callable[[Iterable[tuple[str, Tensor]]], Optimizer]) -> tuple[Module, Optimizer]:
        """The model to call forward on and its optimizer, made by `optimizer(parameters)` over the trainable ones as (name, tensor)."""

    def accumulating(self, model: Module, last: bool) -> AbstractContextManager[None]:
        """Around the forward and backward of one micro-batch; gradients need to agree between ranks only after the `last` one."""

    def sum(self, value: Tensor) -> Tensor:
        """Sum over the ranks, the same on each. Gradients after the last micro-batch are the ranks' sum, too."""

    def clip(self, model: Module, limit: float) -> float:
        """The gradients' global norm before clipping to `limit` (no clipping at 0)."""

    def state(self, model: Module, optimizer: Optimizer) -> dict[str, dict[str, Any]]:
        """Whole, unsharded ``{"model": {name: tensor}, "optimizer": {name: tensor}}`` of what trains, for a checkpoint; collective."""

    def load_state(self, model: Module, optimizer: Optimizer, state: dict[str, dict[str, Any]]) -> None:
        """The inverse of `state`, on every rank."""

    def barrier(self) -> None:
        """Wait for all ranks."""

    def finish(self) -> None:
        """Leave the process group."""
