"""The processes of a step, as checkpoints need them: who writes, who waits, what all agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch

from tunesmith.contracts import Placement, TrainerStrategy

T = TypeVar("T")


class Ranks:
    """Asks the strategy only where there are several."""

    def __init__(self, placement: Placement, strategy: TrainerStrategy, device: torch.device) -> None:
        self.rank, self.count, self._strategy, self._device = placement.rank, placement.processes, strategy, device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, things: Sequence[T]) -> Sequence[T]:
        """Those of `things` that this rank looks after."""
        return things[self.rank :: self.count]

    def barrier(self) -> None:
        """Wait for all."""
        if self.count > 1:
            self._strategy.barrier()

    def all(self, said: bool) -> bool:
        """Whether every rank says so."""
        return not self.any(not said)

    def any(self, said: bool) -> bool:
        """Whether one of them says so."""
        if self.count == 1:
            return said
        return bool(self._strategy.sum(torch.tensor(float(said), device=self._device)) > 0)
