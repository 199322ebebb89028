"""The thread that runs the model: sequences go in, numbers come out."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import Future

import torch

from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.scoring import ScoringModel
from tunesmith_transformers.engine.engine import Draining, QueueFull
from tunesmith_transformers.engine.metrics import Metrics
from tunesmith_transformers.engine.scheduler import Limits

EMBED = "embed"  #: the role of a model without a head


class Cancelled(Exception):
    """The server went down before the answer."""


class Pooler:
    """Runs what waits in batches: as many sequences as the limits' `batch`, of at most `prompt_tokens` tokens together; one that is longer
    alone. Batches change nothing but speed.

    Args:
        model: used by this thread alone.
        limits: `length` is of one sequence; nothing is cached.
    """

    def __init__(self, model: ScoringModel, limits: Limits, metrics: Metrics) -> None:
        self.model, self.limits, self.metrics = model, limits, metrics
        self.error = ""  # why it has given up; a failure is its requests' own
        self._waiting: list[tuple[TokenSequence, Future[torch.Tensor]]] = []
        self._pending = 0
        self._wake = threading.Condition()
        self._stopping = self._draining = False
        self._thread = threading.Thread(target=self._run, name="pooler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, sequences: Sequence[TokenSequence]) -> list[Future[torch.Tensor]]:
        """Take sequences in, all or none; of each comes (places, numbers) float32, or (numbers,) of a model that embeds.

        Raises:
            QueueFull: too many wait already.
            Draining: the server is going down.
        """
        with self._wake:
            if self._draining:
                raise Draining
            if self._pending + len(sequences) > self.limits.batch + self.limits.queue:
                raise QueueFull
            futures: list[Future[torch.Tensor]] = [Future() for _ in sequences]
            self._waiting += zip(sequences, futures, strict=True)
            self._count(len(sequences))
            self._wake.notify_all()
            return futures

    @property
    def under_way(self) -> int:
        """Sequences that were taken in and have no numbers yet."""
        return self._pending

    def drain(self, timeout: float) -> bool:
        """Take nothing new and wait for what is there; False if something was left after `timeout` seconds."""
        with self._wake:
            self._draining = True
            return self._wake.wait_for(lambda: self._pending == 0, timeout)

    def stop(self) -> None:
        """End the thread; what still waits is told."""
        with self._wake:
            self._draining = self._stopping = True
            left, self._waiting = self._waiting, []
            self._wake.notify_all()
        for _, future in left:
            if future.set_running_or_notify_cancel():
                future.set_exception(Cancelled())
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            begun = [(sequence, future) for sequence, future in batch if future.set_running_or_notify_cancel()]
            if begun:
                self._answer(begun)
            with self._wake:
                self._count(-len(batch))
                self._wake.notify_all()

    def _next(self) -> list[tuple[TokenSequence, Future[torch.Tensor]]]:
        """What goes through the model next, in the order in which it came; empty when it is time to end."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopping)
            count = tokens = 0
            for sequence, _ in self._waiting[: self.limits.batch]:
                tokens += len(sequence.tokens)
                if count and tokens > self.limits.prompt_tokens:
                    break
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
            return [] if self._stopping else batch

    def _answer(self, batch: list[tuple[TokenSequence, Future[torch.Tensor]]]) -> None:
        """One that fails fails alone."""
        sequences = [sequence for sequence, _ in batch]
        try:
            found = list(self.model.embeddings(sequences)) if self.model.role == EMBED else self.model.scores(sequences)
            found = [numbers.cpu() for numbers in found]
        except Exception as error:
            if len(batch) > 1:
                for one in batch:
                    self._answer([one])
                return
            traceback.print_exception(error)
            batch[0][1].set_exception(error)
            return
        self.metrics.prompt_tokens.inc(sum(len(sequence.tokens) for sequence in sequences))
        for (_, future), numbers in zip(batch, found, strict=True):
            future.set_result(numbers)

    def _count(self, change: int) -> None:
        self._pending += change
        self.metrics.waiting.set(self._pending)
