"""The sequences of one request, and the deltas that come back for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.engine.engine import Deliveries, Draining, Engine, QueueFull
from tunesmith_transformers.engine.sequence import Delta, Sequence
from tunesmith_transformers.model.vision import Seen
from tunesmith_transformers.sampling.sampling_params import Sampling
from tunesmith_transformers.text.answer_text import Output
from tunesmith_transformers.text.vocabulary import Vocabulary


def fan_out(out: Deliveries) -> None:
    """Hand a step's deltas to their jobs; runs on the event loop."""
    for sequence, delta in out:
        sequence.receive(delta)


class Job:
    """One request: `n` answers to each prompt, numbered prompt by prompt. `seen` is of the one prompt, where it has pictures."""

    def __init__(
        self, engine: Engine, vocabulary: Vocabulary, prompts: list[tuple[list[int], Sampling]], n: int, seen: Seen | None = None
    ) -> None:
        self._engine, self._n = engine, n
        self._deltas: asyncio.Queue[tuple[int, Delta]] = asyncio.Queue()
        self.prompt_tokens = sum(len(ids) for ids, _ in prompts)
        self.sequences: list[Sequence] = []
        for ids, sampling in prompts:
            words = [token for token in ids if token >= 0]
            for copy in range(n):
                own = sampling if sampling.seed is None else replace(sampling, seed=sampling.seed + copy)
                receive = partial(self._receive, len(self.sequences))
                self.sequences.append(Sequence(ids, own, Output(vocabulary, words, own.stop), receive, seen))

    @property
    def cached_tokens(self) -> int:
        """Of the prompts, not read because an earlier text begins like them."""
        return sum(sequence.reused or 0 for sequence in self.sequences[:: self._n])

    def start(self) -> None:
        """Raises ApiError 429 when too many requests wait, 503 when the server is going down."""
        try:
            self._engine.submit(self.sequences)
        except QueueFull:
            raise ApiError(429, "Too many requests are waiting. Try again in a moment.", code="queue_full") from None
        except Draining:
            raise ApiError(503, "The server is shutting down.", code="draining") from None

    def _receive(self, index: int, delta: Delta) -> None:
        if delta.finish in ("cancelled", "error"):  # its client hears of it at once, however far behind it is
            while not self._deltas.empty():
                self._deltas.get_nowait()
        self._deltas.put_nowait((index, delta))

    async def deltas(self) -> AsyncIterator[tuple[int, Delta]]:
        """(answer, delta) until all answers have ended.

        Raises:
            ApiError: 500 if the model failed, 503 if the server shut down before the end.
        """
        left = len(self.sequences)
        while left:
            index, delta = await self._deltas.get()
            if delta.finish == "error":
                raise ApiError(500, f"The model failed: {delta.error}", code="engine_error")
            if delta.finish == "cancelled":
                raise ApiError(503, "The server shut down before the answer was complete.", code="draining")
            yield index, delta
            left -= bool(delta.finish)

    async def close(self) -> None:
        """Free what still runs; harmless when all is done."""
        self._engine.cancel(self.sequences)
