"""One step of a run, from its cache key to its outcome."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.events import Remedy
from tunesmith.errors import TunesmithError
from tunesmith.isolation.locks import FileLock
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.attempt import POLL, attempt
from tunesmith.running.caching import key_of, lookup
from tunesmith.running.context import Context
from tunesmith.running.environments import mend
from tunesmith.running.journal import CacheRow
from tunesmith.running.outcome import StepOutcome
from tunesmith.running.services import Services

ATTEMPTS = 5  # of a step in a run, the first included


class Steps:
    """Carries out steps that make an artifact; starts the services that they read.

    Args:
        refresh: run them though they are done.
    """

    def __init__(self, context: Context, services: Services, refresh: bool) -> None:
        self._context, self._services, self._refresh = context, services, refresh

    def key(self, step: PlannedStep) -> str | None:
        digests = {name: artifact.digest for name, artifact in self._context.artifacts.items()}
        return key_of(step, digests)

    def _planned(self, name: str) -> PlannedStep:
        return next(step for step in self._context.plan.steps if step.name == name)

    def run(self, step: PlannedStep) -> StepOutcome:
        """The step's outcome, from the cache or by running it.

        Raises:
            TunesmithError: why it failed.
            Cancelled: the run was asked to stop.
        """
        key = self.key(step)
        assert key is not None, "a plan's steps are in an order in which they can run"
        cached = self._cached(step, key)
        if cached is None:
            with self._alone(step, key) as waited:
                cached = self._cached(step, key) if waited else None
                outcome = cached or self._make(step, key)
        else:
            outcome = cached
        return outcome

    def _cached(self, step: PlannedStep, key: str) -> StepOutcome | None:
        context = self._context
        if self._refresh:
            return None
        hit = lookup(context.journal, context.store, key)
        if hit is None:
            row = context.journal.cached(key)
            if row is not None:
                why = context.store.problem(row.digest) or "something that it refers to is gone"
                context.decide(step.name, "make it again", f"its artifact in the store is damaged: {why}")
            return None
        artifact, row = hit
        self._tidy(key)
        context.journal.end_step(context.run.id, step.name, "done", key=key, artifact=artifact.digest, cached=True)
        size = context.store.size(artifact.digest)
        return StepOutcome(step.name, "done", True, row.seconds, artifact, size, row.metrics)

    def _tidy(self, key: str) -> None:
        """Remove what a host left that was killed between noting a step and giving up its work directory."""
        work = self._context.home / "work" / key
        if work.exists():
            lock = FileLock(work.with_suffix(".lock"))
            if lock.try_acquire():  # else somebody runs the step again, and needs it
                shutil.rmtree(work, ignore_errors=True)
                lock.release()

    @contextmanager
    def _alone(self, step: PlannedStep, key: str) -> Iterator[bool]:
        """No other process on this home works on the same key meanwhile; yields whether one had to be waited for."""
        lock = FileLock(self._context.home / "work" / f"{key}.lock")
        waited = False

        def waiting() -> None:
            nonlocal waited
            if not waited:
                self._context.log(step.name, "warning", f"waiting for process {lock.holder()}, which works on the same step")
            waited = True
            self._services.check()
            self._context.cancellation.check()

        lock.acquire(waiting)
        try:
            yield waited
        finally:
            lock.release()

    def _make(self, step: PlannedStep, key: str) -> StepOutcome:
        context = self._context
        started, waited = time.monotonic(), 0.0
        current, number, keys = step, 1, [key]
        while True:
            context.journal.begin_step(context.run.id, step.name, key, number)
            try:
                waited += self._prepared(current, number)
                artifact, metrics = self._attempt(current, key, keys[-1], number)
                break
            except TunesmithError as error:
                remedy = context.events.step_failed(context.facts(current, number), error) if number < ATTEMPTS else None
                if remedy is None:
                    raise
                current = self._mended(current, remedy, error)
                keys.append(self.key(current) or key)
                number += 1
        return self._done(step, artifact, metrics, keys, number, time.monotonic() - started - waited)

    def _prepared(self, step: PlannedStep, number: int) -> float:
        """Have the services up that it reads; the seconds that takes are theirs."""
        began, context = time.monotonic(), self._context
        context.events.step_starting(context.facts(step, number))
        for source in step.inputs.values():
            if source.step and self._planned(source.step).verb.service:
                planned = self._planned(source.step)
                context.artifacts[source.step] = self._services.endpoint(planned, self.key(planned) or "")
        return time.monotonic() - began

    def _attempt(self, step: PlannedStep, key: str, work: str, number: int) -> tuple[Artifact, Mapping[str, float]]:
        context = self._context
        context.reporter.step_started(step, number)
        try:
            try:
                return attempt(context, step, number, key, context.home / "work" / work, self._services.check)
            except TunesmithError as error:
                if not mend(context, step, error.code):
                    raise
                return attempt(context, step, number, key, context.home / "work" / work, self._services.check)
        except TunesmithError:
            if any(source.step and self._planned(source.step).verb.service for source in step.inputs.values()):
                self._services.blame()
            raise

    def _mended(self, step: PlannedStep, remedy: Remedy, error: TunesmithError) -> PlannedStep:
        context = self._context
        changes = ", ".join(f"{name}: {step.settings.get(name)!r} -> {value!r}" for name, value in remedy.settings.items())
        context.decide(step.name, f"try again after {error.code}" + (f" with {changes}" if changes else ""), remedy.reason)
        if changes:
            context.journal.drop_series(self.key(step) or "")
        until = time.monotonic() + remedy.delay
        while (left := until - time.monotonic()) > 0:
            context.cancellation.check()
            context.board.pump(min(POLL, left))
            self._services.check()
        mended = dataclasses.replace(step, settings={**step.settings, **remedy.settings})
        if remedy.resume:
            self._hand_on(self.key(step) or "", self.key(mended) or "")
        return mended

    def _hand_on(self, old: str, new: str) -> None:
        """What an attempt left for going on with becomes the next one's, whose settings give it another key."""
        work = self._context.home / "work"
        if old != new and (work / old).exists() and not (work / new).exists():
            (work / old).rename(work / new)

    def _done(
        self, step: PlannedStep, artifact: Artifact, metrics: Mapping[str, float], keys: list[str], number: int, seconds: float
    ) -> StepOutcome:
        """Note it, then give up what was kept for going on with it."""
        context = self._context
        with context.journal.batch():
            for key in dict.fromkeys((keys[0], keys[-1])):
                context.journal.remember(CacheRow(key, artifact.digest, metrics, seconds))
            context.journal.end_step(context.run.id, step.name, "done", artifact=artifact.digest)
        for key in keys:
            shutil.rmtree(context.home / "work" / key, ignore_errors=True)
        context.events.artifact_committed(context.facts(step, number, metrics, seconds), artifact)
        context.events.step_finished(context.facts(step, number, metrics, seconds))
        size = context.store.size(artifact.digest)
        return StepOutcome(step.name, "done", False, seconds, artifact, size, metrics, attempts=number)
