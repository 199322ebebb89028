"""The order of the data: a function of its length and the seed, so that a resumed run meets the same batches."""

from __future__ import annotations

import math
import random


class BatchSampler:
    """Which groups make up which batch: each epoch is a seeded shuffle cut into batches; an epoch's last batch may be smaller.

    Args:
        groups: how many there are.
        batch_size: groups per batch.
    """

    def __init__(self, groups: int, batch_size: int, seed: int) -> None:
        self.groups, self.batch_size, self.seed = groups, batch_size, seed
        self.per_epoch = math.ceil(groups / batch_size)
        self._epoch, self._shuffled = -1, []

    def batch(self, number: int) -> list[int]:
        """The indices of batch `number`, counted from 0 over all epochs."""
        epoch, position = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._shuffled = epoch, list(range(self.groups))
            random.Random(f"order {self.seed} {epoch}").shuffle(self._shuffled)
        return self._shuffled[position * self.batch_size : (position + 1) * self.batch_size]

    def steps(self, epochs: float, max_steps: int = 0) -> int:
        """Batches in `epochs` (at least one), or `max_steps` if that is not 0 and less."""
        steps = max(1, math.ceil(epochs * self.per_epoch - 1e-9))
        return min(steps, max_steps) if max_steps else steps
