"""Which rows for evaluation are among those for training, exactly: an index of the first is held in memory, the second pass by.

same      their words are the same, all of them
near      Jaccard's index of their sequences of three words is at least 0.8 (Broder 1997); computed, not estimated
overlap   more than half of the row's sequences of 13 words (Brown et al. 2020, appendix C) stand in rows for training; a text of 5 to 12
          words is one sequence, a shorter one none
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith_data.contamination.words import Words, pieces, sequences

SEQUENCE, LEAST, SHARE = 13, 5, 0.5  # words, words, of a row's sequences
SHINGLE, NEAR = 3, 0.8  # words, Jaccard's index
COMMON = 100  # rows with a shingle from which on it finds no pair by itself: what all rows have in common
HOW = ("same", "near", "overlap")
Row = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Match:
    """A row for evaluation and the first row for training that it is in, by their lines.

    Args:
        how: of `HOW` the first that holds.
        share: Jaccard's index, or the share of its sequences.
    """

    line: int
    how: str
    train_line: int
    share: float = 1.0


@dataclass
class _Asked:
    """A row for evaluation, and what has been found of it."""

    line: int
    sequences: set[int]
    shingles: set[int]
    found: set[int] = field(default_factory=set)
    same_at: int = 0
    near: float = 0.0
    near_at: int = 0
    overlap_at: int = 0


class EvaluationRows:
    """An index of rows for evaluation; rows for training are shown to it one after the other."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._asked: list[_Asked] = []
        self._same: dict[tuple[Words, ...], list[int]] = defaultdict(list)
        self._sequences: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))  # words of one -> hash -> rows
        self._shingles: dict[int, list[int]] = defaultdict(list)
        for line, row in rows:
            self._add(line, pieces(row))

    def __len__(self) -> int:
        return len(self._asked)

    def _add(self, line: int, parts: list[Words]) -> None:
        at, own = len(self._asked), set()
        if parts:
            self._same[tuple(parts)].append(at)
        for words in parts:
            length = min(SEQUENCE, len(words))
            for one in sequences([words], length) if length >= LEAST else ():
                own.add(one)
                self._sequences[length][one].append(at)
        shingles = set(sequences(parts, SHINGLE))
        for one in shingles:
            self._shingles[one].append(at)
        self._asked.append(_Asked(line, own, shingles))

    def see(self, line: int, row: Mapping[str, Any]) -> None:
        """A row for training."""
        parts = pieces(row)
        for at in self._same.get(tuple(parts), ()):
            self._asked[at].same_at = self._asked[at].same_at or line
        for length, index in self._sequences.items():
            for one in sequences(parts, length):
                for at in index.get(one, ()):
                    self._asked[at].found.add(one)
                    self._asked[at].overlap_at = self._asked[at].overlap_at or line
        self._near(line, set(sequences(parts, SHINGLE)))

    def _near(self, line: int, shingles: set[int]) -> None:
        rare = (rows for one in shingles if len(rows := self._shingles.get(one, ())) <= COMMON)
        for at in {at for rows in rare for at in rows}:
            asked = self._asked[at]
            both = len(asked.shingles & shingles)
            alike = both / (len(asked.shingles) + len(shingles) - both)
            if alike > asked.near:
                asked.near, asked.near_at = alike, line

    def matches(self) -> list[Match]:
        """Of the rows that were seen so far, in the order of their lines."""
        found = []
        for one in self._asked:
            share = len(one.found) / len(one.sequences) if one.sequences else 0.0
            if one.same_at:
                found.append(Match(one.line, "same", one.same_at))
            elif one.near >= NEAR:
                found.append(Match(one.line, "near", one.near_at, one.near))
            elif share > SHARE:
                found.append(Match(one.line, "overlap", one.overlap_at, share))
        return found
