"""What stands between the server's requests and the pipeline's process."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import threading
import time
import traceback
from array import array
from collections.abc import Callable, Collection, Iterable
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tunesmith_openvino.server.generation_options import generation_options, refuse
from tunesmith_openvino.server.pipeline_process import Asked, Continued, PipelineOptions, run
from tunesmith_transformers.api.engines import (
    Deliveries,
    Delta,
    Draining,
    Limits,
    Metrics,
    QueueFull,
    Sequence,
    TokenLogprob,
    grown,
    sentence,
)

JOIN_TIMEOUT = 5.0  # seconds that the pipeline's process gets to end
NO_ROOM = "OpenVINO's pipeline gave the answer up: its cache has no room for it (setting `kv_cache_gib`)"


class PipelineEngine:
    """As the server knows an engine (`tunesmith_transformers.api.engines`).

    Args:
        limits: see `Limits`; `batch` and `queue` bound what is under way.
        ends: ids of end-of-text tokens.
        deliver: called with all that a step produced; must not block.
        metrics: counters to keep.
    """

    def __init__(self, limits: Limits, ends: Collection[int], deliver: Callable[[Deliveries], None], metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        self._ends, self._deliver = frozenset(ends), deliver
        self._numbers = count(1)
        self._running: dict[int, Sequence] = {}
        self._changed = threading.Condition()
        self._draining = self._taking = False
        self._outbox: queue.SimpleQueue[Asked | int | None] = queue.SimpleQueue()  # sending waits for the step that is computed
        self._process: Any = None
        self.error = ""  # why it has given up

    def start(self, folder: Path, options: PipelineOptions) -> None:
        """Load the model that is converted in `folder`.

        Raises:
            RuntimeError: the process has ended before it was up; it has said why.
        """
        context = multiprocessing.get_context("spawn")
        connection, other = context.Pipe()
        self._process = context.Process(target=run, args=(other, folder, options), name="pipeline", daemon=True)
        self._process.start()
        other.close()
        try:
            connection.recv()
        except EOFError:
            raise RuntimeError("OpenVINO could not load the model") from None
        self.attach(connection)

    def attach(self, connection: Connection) -> None:
        """Work with the pipeline at the other end."""
        self._connection = connection
        for work in (self._send, self._hear):
            threading.Thread(target=work, name=work.__name__, daemon=True).start()

    @property
    def under_way(self) -> int:
        """Answers that have not ended."""
        return len(self._running)

    def submit(self, sequences: Iterable[Sequence]) -> None:
        """Take sequences in, all or none.

        Raises:
            ApiError: 400 for what OpenVINO can't do.
            QueueFull: too many wait already.
            Draining: the engine is shutting down, or has failed.
        """
        sequences = list(sequences)
        for sequence in sequences:
            refuse(sequence.sampling)
        with self._changed:
            if self._draining or self.error:
                raise Draining
            if len(self._running) + len(sequences) > self.limits.batch + self.limits.queue:
                raise QueueFull
            for sequence in sequences:
                number = next(self._numbers)
                self._running[number] = sequence
                self._outbox.put(Asked(number, array("q", sequence.prompt), generation_options(sequence.sampling, self._ends)))
                self.metrics.prompt_tokens.inc(len(sequence.prompt))
            self._count()

    def cancel(self, sequences: Iterable[Sequence]) -> None:
        """Stop sequences; harmless for those that have ended."""
        wanted = set(map(id, sequences))
        with self._changed:
            gone = {number: sequence for number, sequence in self._running.items() if id(sequence) in wanted}
            for number in gone:
                self._outbox.put(number)
        self._end(gone, Delta(finish="cancelled"))

    def drain(self, timeout: float) -> bool:
        """Take nothing new and wait for what runs; False if something was still running after `timeout` seconds."""
        with self._changed:
            self._draining = True
            return self._changed.wait_for(lambda: not (self._running or self._taking) or bool(self.error), timeout)

    def close(self) -> None:
        """End the process; what still runs is cancelled."""
        with self._changed:
            self._draining = True
            left = dict(self._running)
        self._end(left, Delta(finish="cancelled"))
        self._outbox.put(None)
        if self._process is None:
            return
        self._process.join(JOIN_TIMEOUT)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _send(self) -> None:
        while True:
            said = self._outbox.get()
            with contextlib.suppress(OSError):  # it has ended, which `_hear` sees
                self._connection.send(said)
            if said is None:  # closing would not do: the other thread reads, and holds the connection open
                return

    def _hear(self) -> None:
        try:
            while True:
                self._take(self._connection.recv())
        except (EOFError, OSError):  # its process has ended, or this one closes
            why = "the process of OpenVINO's pipeline has ended"
        except Exception as error:
            traceback.print_exc()
            why = sentence(error)
        with self._changed:
            if not self._draining:
                self.error = why
            left = dict(self._running)
        self._end(left, Delta(finish="error", error=why))

    def _take(self, step: list[Continued]) -> None:
        """Turn a step's tokens into text, and see which answers are complete."""
        with self._changed:
            self._taking = True
        out: Deliveries = []
        for part in step:
            with self._changed:
                sequence = self._running.get(part.number)
            if sequence is None:  # complete, or cancelled, and a step ahead
                continue
            deltas = list(self._deltas(sequence, part))
            out += [(sequence, delta) for delta in deltas]
            if deltas and deltas[-1].finish:
                self.metrics.ended(deltas[-1].finish, time.perf_counter() - sequence.arrived)
                if not part.ended:
                    self._outbox.put(part.number)
                self._forget([part.number])
        if out:
            self._deliver(out)
        with self._changed:
            self._taking = False
            self._changed.notify_all()

    def _deltas(self, sequence: Sequence, part: Continued) -> Iterable[Delta]:
        delta = Delta()
        for token, logprob in zip(part.tokens, part.logprobs, strict=True):
            sequence.tokens.append(token)
            self.metrics.generated_tokens.inc()
            if sequence.generated == 1:
                self.metrics.first_token.observe(time.perf_counter() - sequence.arrived)
            try:
                delta = grown(sequence, token, None if sequence.sampling.logprobs is None else TokenLogprob(token, logprob), self._ends)
            except Exception as error:
                traceback.print_exc()
                delta = Delta(tokens=sequence.generated, finish="error", error=sentence(error))
            yield delta
            if delta.finish:
                return
        if part.ended:
            yield Delta(tokens=sequence.generated, finish="error", error=part.error or NO_ROOM)

    def _end(self, gone: dict[int, Sequence], last: Delta) -> None:
        """Answers that end without being complete."""
        self._forget(gone)
        for sequence in gone.values():
            self.metrics.ended(last.finish, time.perf_counter() - sequence.arrived)
        if gone:
            self._deliver([(sequence, last) for sequence in gone.values()])

    def _forget(self, ended: Iterable[int]) -> None:
        with self._changed:
            for number in ended:
                self._running.pop(number, None)
            self._count()
            self._changed.notify_all()

    def _count(self) -> None:
        under_way = len(self._running)
        self.metrics.running.set(min(under_way, self.limits.batch))
        self.metrics.waiting.set(max(0, under_way - self.limits.batch))
