"""Rows of a file that say nearly what an earlier one says: Jaccard's index of their sequences of three words is at least 0.8, computed and
not estimated.

Two sets that are so much alike share one of the first fifth of their elements, whichever order all elements are in (prefix filtering:
Bayardo, Ma and Srikant 2007, Scaling Up All Pairs Similarity Search). So only those are looked up, but for the ones with which more than a
hundred rows begin. What is compared is bounded, and told.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from tunesmith_data.contamination.overlap import COMMON, NEAR, SHINGLE
from tunesmith_data.contamination.words import Words, pieces

ROWS, WORDS = 20_000, 1_000_000  # that are compared at most: some seconds, and about 100 MB


class NearDuplicates:
    """Rows are shown to it one after the other.

    Attributes:
        count: rows that are nearly an earlier one. Those that are one but for case and white space are not shown to it.
        compared: rows that were looked at.
    """

    def __init__(self) -> None:
        self.count = self.compared = self._words = 0
        self._rows: list[frozenset[int]] = []
        self._first: dict[int, list[int]] = defaultdict(list)  # an element of a row's first fifth -> rows

    def add(self, row: Mapping[str, Any]) -> None:
        if self.compared >= ROWS or self._words >= WORDS:
            return
        self.compared += 1
        parts = pieces(row)
        self._words += sum(map(len, parts))
        own = frozenset(_sequences(parts))
        if not own:
            return
        first = sorted(own)[: len(own) - ceil(NEAR * len(own)) + 1]
        candidates = {at for one in first if len(rows := self._first.get(one, ())) <= COMMON for at in rows}
        alike = [_jaccard(own, self._rows[at]) for at in candidates]
        self.count += any(share >= NEAR for share in alike)
        for one in first:
            self._first[one].append(len(self._rows))
        self._rows.append(own)


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def _sequences(parts: list[Words]) -> Iterator[int]:
    """The same number for the same words in every process, so that the same file has the same facts."""
    for words in parts:
        for start in range(len(words) - SHINGLE + 1):
            yield zlib.crc32("\0".join(words[start : start + SHINGLE]).encode("utf-8", "surrogatepass"))
