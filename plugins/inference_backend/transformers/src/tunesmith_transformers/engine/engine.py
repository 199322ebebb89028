"""The thread that runs the steps: requests go in, deltas come out."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterable

import torch

from tunesmith_transformers.engine.answer_growth import grown
from tunesmith_transformers.engine.batch_execution import Advance, carry_out
from tunesmith_transformers.engine.metrics import Metrics
from tunesmith_transformers.engine.scheduler import Limits, Scheduler
from tunesmith_transformers.engine.sequence import Delta, Sequence
from tunesmith_transformers.model.forward_pass import Chunk, Forward
from tunesmith_transformers.model.kv_cache import CacheLost
from tunesmith_transformers.sampling.sampler import Draw, choose
from tunesmith_transformers.sampling.sampling_params import Sampling

Deliveries = list[tuple[Sequence, Delta]]


class QueueFull(Exception):
    """More sequences wait than the limits allow."""


class Draining(Exception):
    """The engine takes no new sequences."""


class Engine:
    """Continuous batching over one model.

    Args:
        forward: the model; used by the engine's thread alone once it is started.
        limits: see `Limits`.
        ends: ids of end-of-text tokens.
        deliver: called on the engine's thread once per step with all that the step produced; must not block.
        metrics: counters to keep.
    """

    def __init__(
        self, forward: Forward, limits: Limits, ends: Collection[int], deliver: Callable[[Deliveries], None], metrics: Metrics
    ) -> None:
        self.forward, self.limits, self.metrics = forward, limits, metrics
        self._ends, self._deliver = frozenset(ends), deliver
        self._scheduler = Scheduler(limits, forward.cache, metrics.preemptions.inc, metrics.looked_up)
        self._inbox: list[Sequence] = []
        self._pending = 0  # accepted and not ended
        self._wake = threading.Condition()
        self._stopping = self._draining = False
        self.error = ""  # why it has given up
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, sequences: Iterable[Sequence]) -> None:
        """Take sequences in, all or none.

        Raises:
            QueueFull: too many wait already.
            Draining: the engine is shutting down, or has failed.
        """
        sequences = list(sequences)
        with self._wake:
            if self._draining or self.error:
                raise Draining
            if self._pending + len(sequences) > self.limits.batch + self.limits.queue:
                raise QueueFull
            self._pending += len(sequences)
            self._inbox += sequences
            self._wake.notify()

    def cancel(self, sequences: Iterable[Sequence]) -> None:
        """Stop sequences before their next token; they get a last delta. Harmless for those that have ended."""
        with self._wake:
            for sequence in sequences:
                sequence.cancelled = True
            self._wake.notify()

    def drain(self, timeout: float) -> bool:
        """Take nothing new and wait for what runs; False if something was still running after `timeout` seconds."""
        with self._wake:
            self._draining = True
            return self._wake.wait_for(lambda: self._pending == 0 or bool(self.error), timeout)

    def stop(self) -> None:
        """End the thread; what still runs is cancelled."""
        with self._wake:
            self._draining = self._stopping = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def close(self) -> None:
        """Stop, and give the model's memory back."""
        self.stop()
        self.forward.close()

    @property
    def under_way(self) -> int:
        """Sequences that were taken in and have not ended."""
        return self._pending

    @property
    def running(self) -> int:
        return len(self._scheduler.rows)

    @property
    def waiting(self) -> int:
        return len(self._scheduler.waiting) + len(self._inbox)

    def _run(self) -> None:
        with torch.inference_mode():
            while self._next():
                try:
                    self._step()
                except Exception as error:
                    self._fail(error)
        with self._wake:
            self._draining = True
            self._scheduler.add(self._inbox)
            self._inbox = []
        last = Delta(finish="cancelled") if not self.error else Delta(finish="error", error=self.error)
        self._drop(self._scheduler.empty(), last)

    def _next(self) -> bool:
        """Wait for work and take it in; False when it is time to end."""
        with self._wake:
            if not self._scheduler.busy and not self._inbox and not self._stopping:
                if not self._scheduler.prefixes:
                    self.forward.cache.clear()  # idle: give the memory back
                self._wake.wait_for(lambda: self._inbox or self._stopping)
            self._scheduler.add(self._inbox)
            self._inbox = []
            return not self._stopping and not self.error

    def _step(self) -> None:
        gone = [s for s in (*self._scheduler.rows, *self._scheduler.waiting) if s.cancelled]
        if gone:
            self._drop(gone, Delta(finish="cancelled"))
        started = time.perf_counter()
        batch = self._scheduler.plan()
        if batch is None:
            return
        out: Deliveries = []
        try:
            for advance in carry_out(batch, self.forward):
                out.append((advance.sequence, self._delta(advance)))
        except CacheLost as lost:
            return self._give_way(lost)
        ended = [(sequence, delta) for sequence, delta in out if delta.finish]
        for sequence, delta in ended:
            self._scheduler.remove(sequence, sound=delta.finish != "error")
        self.metrics.step(batch, out, self.running, self.waiting, time.perf_counter() - started)
        self._finish(out, len(ended))
        failed = [delta.error for _, delta in out if delta.finish == "error"]
        if len(failed) == len(batch.sequences):
            self._doubt(failed[-1])

    def _delta(self, advance: Advance) -> Delta:
        """What a step did, as its request hears it; a failure is this sequence's own."""
        error = advance.error
        if error is None:
            try:
                sequence = advance.sequence
                return grown(sequence, advance.token, advance.logprob, self._ends, complete=sequence.draw.complete)
            except Exception as own:
                error = own
        traceback.print_exception(error)
        return Delta(tokens=advance.sequence.generated, finish="error", error=sentence(error))

    def _drop(self, sequences: list[Sequence], last: Delta) -> None:
        now = time.perf_counter()
        for sequence in sequences:
            self._scheduler.remove(sequence, sound=last.finish != "error")
            self.metrics.ended(last.finish, now - sequence.arrived)
        self.metrics.running.set(self.running)
        self.metrics.waiting.set(self.waiting)
        self._finish([(sequence, last) for sequence in sequences], len(sequences))

    def _finish(self, out: Deliveries, ended: int) -> None:
        if out:
            self._deliver(out)
        if ended:
            with self._wake:
                self._pending -= ended
                self._wake.notify_all()

    def _fail(self, error: Exception) -> None:
        """A step raised, and nobody knows whose fault it is: what is here can't go on, but what comes later may."""
        traceback.print_exception(error)
        self._drop(self._scheduler.empty(), Delta(finish="error", error=sentence(error)))
        self._doubt(sentence(error))

    def _give_way(self, lost: CacheLost) -> None:
        """There is no memory for a cache of the size that was asked for: the youngest sequence ends, the others are read again."""
        youngest = self._scheduler.rows[-1]
        self._scheduler.restart()
        self._drop([youngest], Delta(tokens=youngest.generated, finish="error", error=sentence(lost.__cause__ or lost)))
        self._doubt(sentence(lost.__cause__ or lost))

    def _doubt(self, error: str) -> None:
        """All that was asked of the model failed. If it can't even read one token, it is the model's fault and not theirs: give up."""
        self._scheduler.restart()
        self.forward.cache.clear()
        try:
            choose(self.forward([Chunk(0, 0, [0], (0,))], 0, 1, 1), [Draw(Sampling(temperature=0))])
        except Exception:
            traceback.print_exc()
            self.error = error
        self.forward.cache.clear()


def sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
