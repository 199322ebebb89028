"""How full sequences are that several rows share."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable


def packed(lengths: Iterable[int], max_length: int) -> tuple[int, float]:
    """Sequences of `max_length` tokens that hold these rows, the longest first and each where the least room is left (best fit decreasing),
    and the share of their tokens that is used. Longer rows are cut.
    """
    cut = sorted((min(length, max_length) for length in lengths if length), reverse=True)
    room: list[int] = []  # what is left of each, sorted
    for length in cut:
        at = bisect_left(room, length)
        left = room.pop(at) - length if at < len(room) else max_length - length
        insort(room, left)
    return len(room), sum(cut) / (len(room) * max_length) if room else 0.0
