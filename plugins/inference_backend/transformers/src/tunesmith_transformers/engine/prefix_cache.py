"""The prefix cache: the rows of sequences that have ended keep what was read until their place is needed.

A new prompt begins with the longest beginning that it shares with one of them, or with a sequence that still runs: keys and values of these
tokens are copied, which costs a hundredth of computing them, and only the rest is read. It is found token by token, so that nothing is
read twice at the edges of blocks. The least recently used row goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tunesmith_transformers.model.kv_cache import RowCache

LEAST = 16  # tokens that are worth a copy
_BLOCK = 64  # tokens compared at once


@dataclass(frozen=True)
class Held:
    """The tokens whose keys and values a row holds; `count` of `tokens`, from the first."""

    row: int
    tokens: Sequence[int]
    count: int


def common(one: Sequence[int], other: Sequence[int], most: int) -> int:
    """How many first tokens two sequences share, `most` at most."""
    at = 0
    while at < most:
        end = min(at + _BLOCK, most)
        if one[at:end] != other[at:end]:
            return next(i for i in range(at, end) if one[i] != other[i])
        at = end
    return most


def longest(tokens: Sequence[int], most: int, among: Iterable[Held]) -> tuple[Held | None, int]:
    """What shares the longest beginning with `tokens`, and how many tokens that are, `most` at most; the first of equals."""
    best, length = None, 0
    for held in among:
        # one that does not go on like the prompt where the best ended can't be better: many that begin alike are told apart at once
        if min(held.count, most) > length and held.tokens[length] == tokens[length]:
            shared = common(tokens, held.tokens, min(held.count, most))
            if shared > length:
                best, length = held, shared
    return best, length


class PrefixCache:
    """Which rows behind the running ones hold what.

    Args:
        cache: of which the rows are.
        rows: most rows to keep; 0 keeps none.
    """

    def __init__(self, cache: RowCache, rows: int) -> None:
        self._cache = cache
        self.rows = rows
        self._held: dict[int, list[int]] = {}  # by row, the least recently used first

    def __len__(self) -> int:
        return len(self._held)

    def held(self) -> list[Held]:
        """What is kept, the latest first."""
        return [Held(row, tokens, len(tokens)) for row, tokens in reversed(self._held.items())]

    def keep(self, row: int, tokens: list[int], running: Sequence[Held], first: int) -> None:
        """A sequence leaves its row, which holds keys and values of `tokens`.

        Args:
            running: what rows of others hold.
            first: the first row behind the running ones, once it has left; its own row where it was the last.
        """
        if not self.rows or len(tokens) < LEAST:
            return
        for other in self.held():
            shared = common(tokens, other.tokens, min(len(tokens), other.count))
            if shared == len(tokens):
                self._touch(other.row)
                return
            if shared == other.count:  # it goes on where the other ended
                del self._held[other.row]
        if longest(tokens, len(tokens), running)[1] == len(tokens):
            return
        target = row if row >= first else self._place(first + 1)
        if target is not None:
            if target != row:
                self._cache.move(row, target, len(tokens))
            self._held[target] = tokens
        while len(self._held) > self.rows:
            del self._held[next(iter(self._held))]

    def take(self, row: int, found: Held | None, count: int) -> None:
        """A sequence begins in `row` with the `count` first tokens of what was found; what `row` held moves to another, or is forgotten."""
        if found is not None and found.row in self._held:
            self._touch(found.row)
        own = self._held.pop(row, None)
        if own is not None and not (found is not None and found.row == row and count == len(own)):
            target = self._place(row + 1, but=found.row if found is not None else -1)
            if target is not None:
                self._cache.move(row, target, len(own))
                self._held[target] = own
        if found is not None and found.row != row:
            self._cache.move(found.row, row, count)

    def resized(self, rows: int, columns: int) -> None:
        """The cache has another size from now on: what lies outside is lost."""
        self._held = {row: tokens[:columns] for row, tokens in self._held.items() if row < rows}

    def clear(self) -> None:
        self._held.clear()

    def _touch(self, row: int) -> None:
        self._held[row] = self._held.pop(row)

    def _place(self, first: int, but: int = -1) -> int | None:
        """A row from `first` on that nothing is kept in, else that of the least recently used (but not `but`), which is forgotten."""
        free = next((row for row in range(first, self._cache.rows) if row not in self._held), None)
        if free is not None:
            return free
        oldest = next((row for row in self._held if row != but), None)
        if oldest is not None:
            del self._held[oldest]
        return oldest
