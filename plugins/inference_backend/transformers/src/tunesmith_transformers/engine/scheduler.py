"""Forms the batch of every step: whoever generates goes on, and waiting prompts are read with what is left of the step.

Rows of the cache are filled from the front: first the sequences that generate, then those whose prompts are still being read. A sequence
that ends leaves a hole, into which the last one is moved; what was read of it is kept behind them while there is room (`prefix_cache`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tunesmith_transformers.engine.prefix_cache import LEAST, Held, PrefixCache, longest
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
        kept_rows: rows of ended sequences that are kept for prompts that begin like them; they are within `cache_tokens`.
    """

    batch: int = 32
    length: int = 4096
    queue: int = 256
    prompt_tokens: int = 512
    cache_tokens: int = 32 * 4096
    kept_rows: int = 0


@dataclass(frozen=True)
class Batch:
    """One step's work: `sequences` and `chunks` belong together pairwise; the first `decoding` generate."""

    sequences: list[Sequence]
    chunks: list[Chunk]
    decoding: int
    rows: int
    columns: int


def _nothing(tokens: int, found: int) -> None: ...


class Scheduler:
    """Who is in which row, and who waits.

    Args:
        preempted: called when a sequence is sent back to wait.
        looked_up: called when a prompt is taken in: with its tokens, and how many of them are in the cache already.
    """

    def __init__(
        self,
        limits: Limits,
        cache: RowCache,
        preempted: Callable[[], None] = lambda: None,
        looked_up: Callable[[int, int], None] = _nothing,
    ) -> None:
        self.limits = limits
        self.cache = cache
        self._preempted, self._looked_up = preempted, looked_up
        self.prefixes = PrefixCache(cache, limits.kept_rows)
        self.rows: list[Sequence] = []
        self.waiting: deque[Sequence] = deque()

    @property
    def busy(self) -> bool:
        return bool(self.rows or self.waiting)

    def add(self, sequences: Iterable[Sequence]) -> None:
        self.waiting.extend(sequences)

    def remove(self, sequence: Sequence, *, sound: bool = True) -> None:
        """Take a sequence out, wherever it is. What was read of it may be used again if it is `sound`."""
        if sequence in self.rows:
            row, last = self.rows.index(sequence), len(self.rows) - 1
            if sound:
                others = [held for held in self._running() if held.row != row]
                self.prefixes.keep(row, sequence.tokens[: sequence.cached], others, last)
            self._vacate(row)
        elif sequence in self.waiting:
            self.waiting.remove(sequence)

    def plan(self) -> Batch | None:
        """The next step; None if there is nothing to do."""
        self._make_room()
        decoding = self._decoding()
        chunks = [Chunk(row, s.cached, s.tokens[-1:], (0,), s.seen) for row, s in enumerate(self.rows[:decoding])]
        sequences = self.rows[:decoding]
        budget = self.limits.prompt_tokens
        row = decoding
        while budget and (row < len(self.rows) or self._admit(chunks)):
            sequence = self.rows[row]
            count = min(budget, sequence.unread)
            chunks.append(self._prompt_chunk(row, sequence, count))
            sequences.append(sequence)
            budget -= count
            row += 1
        if not chunks:
            return None
        rows, columns = self._size()
        if (rows, columns) != (self.cache.rows, self.cache.columns):
            self.prefixes.resized(rows, columns)
        return Batch(sequences, chunks, decoding, rows, columns)

    def _prompt_chunk(self, row: int, sequence: Sequence, count: int) -> Chunk:
        end = sequence.cached + count
        last = [count - 1] if end == len(sequence.tokens) else []
        if sequence.sampling.prompt_logprobs is not None:
            # what was scored before the sequence was sent back to wait is not scored again
            scored = range(max(sequence.scored, sequence.cached), min(end, len(sequence.prompt) - 1))
            last = sorted({position - sequence.cached for position in scored} | set(last))
        return Chunk(row, sequence.cached, sequence.tokens[sequence.cached : end], last, sequence.seen)

    def _decoding(self) -> int:
        """How many of the first rows have read everything but their newest token."""
        return next((row for row, sequence in enumerate(self.rows) if sequence.unread > 1), len(self.rows))

    def _fits(self, rows: int, columns: int) -> bool:
        return rows * columns <= self.limits.cache_tokens

    def _size(self) -> tuple[int, int]:
        """Rows and columns of the cache: as they are if they do, else all rows, or fewer and longer ones, within the bound."""
        limits, rows, columns = self.limits, self.cache.rows, self.cache.columns
        needed, longest_row = len(self.rows), max(len(s.tokens) for s in self.rows)
        if needed <= rows and longest_row <= columns:
            return rows, columns
        wanted = limits.batch + limits.kept_rows
        rounded = -(-longest_row // STEP) * STEP
        if needed <= rows:  # they grow: by so much that a long answer changes the shape a few times and not at every step
            rounded = max(rounded, 2 * columns)
        rounded = min(rounded, limits.length, limits.cache_tokens // needed)
        columns = max(limits.cache_tokens // wanted, rounded)
        return min(wanted, limits.cache_tokens // columns), columns

    def _admit(self, chunks: list[Chunk]) -> bool:
        """Give the first of those who wait a row, if there is room for it, and what was read already of a prompt that begins like its own.

        It waits for the next step where a prompt of this one, whose `chunks` these are, is about to be read that begins like it.
        """
        if not self.waiting or len(self.rows) >= self.limits.batch:
            return False
        sequence, row = self.waiting[0], len(self.rows)
        if not self._fits(row + 1, max(len(s.tokens) for s in [*self.rows, sequence])):
            return False
        if self.prefixes.rows:
            known = row < self.cache.rows  # else the cache is about to get its first rows, or other ones
            most = len(sequence.tokens) - 1  # the last token is read in any case: what follows it is asked for
            if sequence.sampling.prompt_logprobs is not None:
                most = min(most, sequence.scored)
            found, count = longest(sequence.tokens, most, [*self.prefixes.held(), *self._running()] if known else ())
            coming = [Held(c.row, self.rows[c.row].tokens, c.start + len(c.tokens)) for c in chunks]
            if longest(sequence.tokens, most, coming)[1] >= count + 2 * LEAST:
                return False
            if count < LEAST:
                found, count = None, 0
            self.prefixes.take(row, found, count)
            sequence.cached = count
            if sequence.reused is None:
                sequence.reused = count
            self._looked_up(len(sequence.tokens), count)
        self.rows.append(self.waiting.popleft())
        return True

    def _running(self) -> list[Held]:
        return [Held(row, sequence.tokens, sequence.cached) for row, sequence in enumerate(self.rows)]

    def _make_room(self) -> None:
        """Before the rows grow beyond the cache, send the last one back to wait; it will be read again from its start."""
        while len(self.rows) > 1 and not self._fits(len(self.rows), max(len(s.tokens) for s in self.rows)):
            self._send_back()

    def empty(self) -> list[Sequence]:
        """Take all sequences out, at once, and forget what is kept; the cache is left as it is."""
        gone = [*self.rows, *self.waiting]
        self.prefixes.clear()
        self.rows.clear()
        self.waiting.clear()
        return gone

    def restart(self) -> None:
        """The cache's content is lost: all are sent back to wait, in their order."""
        while self.rows:
            self._send_back()
        self.prefixes.clear()

    def _send_back(self) -> None:
        last = self.rows.pop()
        self.prefixes.keep(len(self.rows), last.tokens[: last.cached], self._running(), len(self.rows))
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
