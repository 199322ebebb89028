"""Forms the batch of every step: whoever generates goes on, and waiting prompts are read with what is left of the step.

Rows of the cache are filled from the front: first the sequences that generate, then those whose prompts are still being read. A sequence
that ends leaves a hole, into which the last one is moved.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tunesmith_transformers.engine.sequence import Sequence
from tunesmith_transformers.model.forward_pass import Chunk
from tunesmith_transformers.model.kv_cache import RowCache

STEP = 128  # columns are added in steps, so that growing sequences seldom change the cache's shape


@dataclass(frozen=True)
class Limits:
    """What bounds the server's memory and the length of a step.

    Args:
        batch: sequences at a time.
        length: tokens of prompt and answer.
        queue: sequences waiting.
        prompt_tokens: of prompts that are read in one step, beside the sequences that generate.
        cache_tokens: places in the cache: rows x columns never exceeds it (and it is at least `length`).
    """

    batch: int = 32
    length: int = 4096
    queue: int = 256
    prompt_tokens: int = 512
    cache_tokens: int = 32 * 4096


@dataclass(frozen=True)
class Batch:
    """One step's work: `sequences` and `chunks` belong together pairwise; the first `decoding` generate."""

    sequences: list[Sequence]
    chunks: list[Chunk]
    decoding: int
    rows: int
    columns: int


class Scheduler:
    """Who is in which row, and who waits."""

    def __init__(self, limits: Limits, cache: RowCache, preempted: Callable[[], None] = lambda: None) -> None:
        self.limits = limits
        self.cache = cache
        self._preempted = preempted
        self.rows: list[Sequence] = []
        self.waiting: deque[Sequence] = deque()

    @property
    def busy(self) -> bool:
        return bool(self.rows or self.waiting)

    def add(self, sequences: Iterable[Sequence]) -> None:
        self.waiting.extend(sequences)

    def remove(self, sequence: Sequence) -> None:
        """Take a sequence out, wherever it is."""
        if sequence in self.rows:
            self._vacate(self.rows.index(sequence))
        elif sequence in self.waiting:
            self.waiting.remove(sequence)

    def plan(self) -> Batch | None:
        """The next step; None if there is nothing to do."""
        self._make_room()
        decoding = self._decoding()
        chunks = [Chunk(row, s.cached, s.tokens[-1:], (0,)) for row, s in enumerate(self.rows[:decoding])]
        sequences = self.rows[:decoding]
        budget = self.limits.prompt_tokens
        row = decoding
        while budget and (row < len(self.rows) or self._admit()):
            sequence = self.rows[row]
            count = min(budget, sequence.unread)
            chunks.append(self._prompt_chunk(row, sequence, count))
            sequences.append(sequence)
            budget -= count
            row += 1
        if not chunks:
            return None
        return Batch(sequences, chunks, decoding, *self._size())

    def _prompt_chunk(self, row: int, sequence: Sequence, count: int) -> Chunk:
        end = sequence.cached + count
        last = [count - 1] if end == len(sequence.tokens) else []
        if sequence.sampling.prompt_logprobs is not None:
            # what was scored before the sequence was sent back to wait is not scored again
            scored = range(max(sequence.scored, sequence.cached), min(end, len(sequence.prompt) - 1))
            last = sorted({position - sequence.cached for position in scored} | set(last))
        return Chunk(row, sequence.cached, sequence.tokens[sequence.cached : end], last)

    def _decoding(self) -> int:
        """How many of the first rows have read everything but their newest token."""
        return next((row for row, sequence in enumerate(self.rows) if sequence.unread > 1), len(self.rows))

    def _fits(self, rows: int, columns: int) -> bool:
        return rows * columns <= self.limits.cache_tokens

    def _size(self) -> tuple[int, int]:
        """Rows and columns of the cache: as they are if they do, else all rows, or fewer and longer ones, within the bound."""
        limits, rows, columns = self.limits, self.cache.rows, self.cache.columns
        needed, longest = len(self.rows), max(len(s.tokens) for s in self.rows)
        if needed <= rows and longest <= columns:
            return rows, columns
        rounded = min(-(-longest // STEP) * STEP, limits.length, limits.cache_tokens // needed)
        columns = max(limits.cache_tokens // limits.batch, rounded)
        return min(limits.batch, limits.cache_tokens // columns), columns

    def _admit(self) -> bool:
        """Give the first of those who wait a row, if there is room for it."""
        if not self.waiting or len(self.rows) >= self.limits.batch:
            return False
        longest = max(len(s.tokens) for s in [*self.rows, self.waiting[0]])
        if not self._fits(len(self.rows) + 1, longest):
            return False
        self.rows.append(self.waiting.popleft())
        return True

    def _make_room(self) -> None:
        """Before the rows grow beyond the cache, send the last one back to wait; it will be read again from its start."""
        while len(self.rows) > 1 and not self._fits(len(self.rows), max(len(s.tokens) for s in self.rows)):
            self._send_back()

    def empty(self) -> list[Sequence]:
        """Take all sequences out, at once; the cache is left as it is."""
        gone = [*self.rows, *self.waiting]
        self.rows.clear()
        self.waiting.clear()
        return gone

    def restart(self) -> None:
        """The cache's content is lost: all are sent back to wait, in their order."""
        while self.rows:
            self._send_back()

    def _send_back(self) -> None:
        last = self.rows.pop()
        last.cached = 0
        self.waiting.appendleft(last)
        self._preempted()

    def _vacate(self, row: int) -> None:
        """Close the hole at `row`, keeping those that generate in front."""
        decoding = self._decoding()
        if row < decoding - 1:
            self._move(decoding - 1, row)
            row = decoding - 1
        last = len(self.rows) - 1
        if row < last:
            self._move(last, row)
        self.rows.pop()

    def _move(self, source: int, target: int) -> None:
        sequence = self.rows[target] = self.rows[source]
        self.cache.move(source, target, sequence.cached)
