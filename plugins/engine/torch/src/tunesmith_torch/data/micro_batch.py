"""A batch in parts: dealt to the ranks, and each rank's share cut into micro-batches that fit a budget of tokens.

A *batch* is what one optimizer step learns from. The loss is a sum over groups divided by the weight of the whole batch, so it does not
depend on the cut. Pure functions of lengths.
"""

from __future__ import annotations

from collections.abc import Sequence


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


def micro_batches(lengths: Sequence[int], ranks: int, budget: int) -> list[list[list[int]]]:
    """Micro-batches of a batch for each rank: ``[rank][micro-batch][index]``. All ranks get equally many (some may be empty), because
    strategies that shard the model run each forward together.
    """
    cuts = []
    for share in deal(lengths, ranks):
        cuts.append([[share[i] for i in micro] for micro in cut([lengths[i] for i in share], budget)])
    most = max(len(micros) for micros in cuts)
    return [micros + [[] for _ in range(most - len(micros))] for micros in cuts]
