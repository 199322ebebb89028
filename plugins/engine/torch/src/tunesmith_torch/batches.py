"""The order of the data and how a batch is cut. Pure functions of lengths and seeds, so that a resumed run meets the same batches.

A *batch* is what one optimizer step learns from. It is dealt to the ranks, and each rank's share is cut into micro-batches that fit a
budget of tokens. The loss is a sum over groups divided by the weight of the whole batch, so it does not depend on the cut.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence


class Order:
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


def deal(lengths: Sequence[int], ranks: int) -> list[list[int]]:
    """Indices for each rank, so that all have about as many tokens: the longest first, each to the rank with the least so far."""
    shares: list[list[int]] = [[] for _ in range(ranks)]
    loads = [0] * ranks
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        rank = loads.index(min(loads))
        shares[rank].append(index)
        loads[rank] += lengths[index]
    return shares


def cut(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices in as few micro-batches of at most `budget` tokens as first-fit-decreasing finds; a longer group is alone in its own."""
    bins: list[list[int]] = []
    room: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        place = next((b for b, free in enumerate(room) if free >= lengths[index]), None)
        if place is None:
            bins.append([index])
            room.append(budget - lengths[index])
        else:
            bins[place].append(index)
            room[place] -= lengths[index]
    return bins


def schedule(lengths: Sequence[int], ranks: int, budget: int) -> list[list[list[int]]]:
    """Micro-batches of a batch for each rank: ``[rank][micro-batch][index]``. All ranks get equally many (some may be empty), because
    strategies that shard the model run each forward together.
    """
    cuts = []
    for share in deal(lengths, ranks):
        cuts.append([[share[i] for i in micro] for micro in cut([lengths[i] for i in share], budget)])
    most = max(len(micros) for micros in cuts)
    return [micros + [[] for _ in range(most - len(micros))] for micros in cuts]
