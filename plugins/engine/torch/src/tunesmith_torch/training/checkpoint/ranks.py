"""The processes of a step, as checkpoints need them: who writes, who waits, what all agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tunesmith.contracts import Placement, TrainerStrategy

T = TypeVar("T")


class Ranks:
    """Asks the strategy only where there are several."""

    def __init__(self, placement: Placement, strategy: TrainerStrategy) -> None:
        self.rank, self.count, self._strategy = placement.rank, placement.processes, strategy

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
        return self._strategy.any(said)
