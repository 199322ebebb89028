"""Which known name a word was meant to be: one that is near in letters, holds the same parts, or is called so elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

OFFERED = 3  # names at most
_SHORT, _LONG = 5, 9  # letters of the longest part: one slip up to the first, two up to the second, three beyond


@cache
def _synonyms() -> tuple[frozenset[str], ...]:
    """Words of other tools, and of the field, that mean the same: a line of each meaning."""
    text = Path(__file__).with_name("synonyms.txt").read_text(encoding="utf-8")
    return tuple(frozenset(line.split()) for line in text.splitlines())


def near(word: str, known: Iterable[str]) -> list[str]:
    """The names that `word` was probably meant to be, the likeliest first; empty if none is near."""
    asked = _plain(word[:100])  # what is much longer than any name is near none, and takes long
    found = []
    for name in sorted(set(known)):
        rank = _rank(asked, _plain(name))
        if rank:
            found.append((rank, name))
    found.sort()
    best = found[0][0][0] if found else 0
    return [name for (way, _), name in found if way == best][:OFFERED]


def _rank(asked: str, name: str) -> tuple[int, int] | None:
    """How the two are alike, the surest way first, and how much; None if they are not."""
    if not asked or not name:
        return None
    longest = max(len(part) for part in _parts(asked))
    slips = 1 if longest <= _SHORT else 2 if longest <= _LONG else 3
    distance = edits(asked, name, slips)
    if distance <= slips and distance < len(asked):
        return 1, distance
    last = name.rpartition(".")[2]
    if any(asked in group and last in group for group in _synonyms()):
        return 2, 0
    one, other = set(_parts(asked)), set(_parts(name))
    shared = one & other
    if shared in (one, other) and any(len(part) > 2 for part in shared):
        return 3, len(one ^ other)
    if len(asked) > 2 and name.startswith(asked):
        return 3, len(name) - len(asked)
    return None


def edits(one: str, other: str, limit: int) -> int:
    """Letters to insert, leave out, change or swap with their neighbour to make one word the other (optimal string alignment);
    any number above `limit` where it is more."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _plain(word: str) -> str:
    return word.strip().lstrip("-").casefold().replace("_", "-")


def _parts(word: str) -> list[str]:
    return re.split(r"[-./ ]+", word)
