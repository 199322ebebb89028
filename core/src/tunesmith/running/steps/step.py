"""One step of a run, from its cache key to its outcome."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Mapping

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.events import Remedy
from tunesmith.errors import TunesmithError
from tunesmith.isolation.locks import FileLock
from tunesmith.planning.cache_keys import task_key
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.journal.journal import gone
from tunesmith.running.journal.records import CacheRow
from tunesmith.running.outcome import StepOutcome
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.attempt import attempt
from tunesmith.running.steps.begun_work import begun, means_of, take_over
from tunesmith.running.steps.cached_results import changes, find, key_of
from tunesmith.running.steps.environments import fix
from tunesmith.running.steps.services import Services
from tunesmith.running.store.damaged_artifacts import damaged
from tunesmith.running.turns import turn

FRESH = 1.0  # seconds for which it stays true that a step was not done
ATTEMPTS = 5  # of a step in a run, the first included


class StepRunner:
    """Carries out steps that make an artifact; starts the services that they read.

    Args:
        refresh: run them though they are done.
    """

    def __init__(self, context: RunContext, services: Services, refresh: bool) -> None:
        self._context, self._services, self._refresh = context, services, refresh

        self._made: set[str] = set()  # keys: not run twice though all is to be run again
        self._steps = {step.name: step for step in context.plan.steps}

    @property
    def _digests(self) -> dict[str, str]:
        return {name: artifact.digest for name, artifact in self._context.artifacts.items()}

    def key(self, step: PlannedStep) -> str | None:
        return key_of(step, self._read_by(step))

    def _read_by(self, step: PlannedStep) -> dict[str, str]:
        """The digests of what a step reads."""
        made = self._context.artifacts
        return {source.step: made[source.step].digest for source in step.inputs.values() if source.step in made}

    def cached(self, step: PlannedStep) -> StepOutcome | None:
        """The outcome of a step that is done already, and is not to be run all the same."""
        key = self.key(step)
        assert key is not None, "a plan's steps are in an order in which they can run"
        return self._cached(step, key)

    async def run(self, step: PlannedStep, since: float = 0.0) -> StepOutcome:
        """The outcome of a step that is not done.

        Args:
            since: when that was looked at (`time.monotonic`).

        Raises:
            TunesmithError: why it failed.
            Cancelled: the run was asked to stop.
        """
        key = self.key(step)
        assert key is not None, "a plan's steps are in an order in which they can run"
        lock = FileLock(self._context.home / "work" / f"{key}.lock")
        waited = await self._alone(step, lock) or time.monotonic() - since > FRESH
        try:
            return (self._cached(step, key) if waited else None) or await self._make(step, key)
        finally:
            lock.release()

    async def open(self, step: PlannedStep) -> None:
        """Verify what a step reads before it does, at the cost that the configuration allows; what is damaged is made again.

        Raises:
            TunesmithError: TS-STORE-002 when it can't be.
        """
        context = self._context
        read = [source.step for source in step.inputs.values() if source.step and not self._steps[source.step].verb.service]
        reached = {digest for name in read for digest in closure(context.artifacts[name])}
        for digest, problem in context.store.problems(reached, context.verify).items():
            where = self._aside(digest)
            maker = next((name for name, artifact in context.artifacts.items() if artifact.digest == digest), "")
            if not maker:
                raise damaged(digest, problem)
            context.decide(maker, "make it again", f"its artifact in the store is damaged: {problem}{where}")
            outcome = await self.run(self._steps[maker])
            context.reporter.step_finished(self._steps[maker], outcome)
            if outcome.artifact is None or outcome.artifact.digest != digest:
                raise damaged(digest, f"{problem}, and making it again gave something else")

    def _cached(self, step: PlannedStep, key: str) -> StepOutcome | None:
        context = self._context
        if self._refresh and key not in self._made:
            return None
        if (hit := find(context.journal, context.store, step, self._read_by(step))) is None:
            if row := context.journal.cached(key):
                self._drop(step, row.digest)
            return None
        if hit.because:
            decision = hit.decision(step)
            context.decide(step.name, decision.what, decision.reason)
        for known in {key, hit.row.key}:
            self._tidy(known)
        artifact = hit.artifact
        with context.journal.batch():
            context.journal.end_step(context.run.id, step.name, "done", key=hit.row.key, artifact=artifact.digest, cached=True)
            context.journal.trace(context.run.id, step.name, hit.row, cached=True)
        size = context.store.size(artifact.digest)
        return StepOutcome(step.name, "done", True, hit.row.seconds, artifact, size, hit.row.metrics)

    def _drop(self, step: PlannedStep, digest: str) -> None:
        """Take an artifact that is noted, and is not whole, out of everybody's way."""
        context = self._context
        problem = context.store.problem(digest)
        damage = f"its artifact in the store is damaged: {problem}{self._aside(digest)}" if problem else ""
        context.decide(step.name, "make it again", damage or "something that its artifact refers to is gone, or damaged")

    def _aside(self, digest: str) -> str:
        """Take an artifact out of the store; where it is now, for a sentence."""
        kept = self._context.store.set_aside(digest)
        return f"; it is kept as {kept}" if kept.exists() else ""

    def _tidy(self, key: str) -> None:
        """Remove what a host left that was killed between noting a step and giving up its work directory."""
        work = self._context.home / "work" / key
        if work.exists():
            lock = FileLock(work.with_suffix(".lock"))
            if lock.try_acquire():  # else somebody runs the step again, and needs it
                shutil.rmtree(work, ignore_errors=True)
                lock.release()

    async def _alone(self, step: PlannedStep, lock: FileLock) -> bool:
        """No other process on this home works on the same key while the lock is held; gives whether one had to be waited for."""
        waited = False
        while not lock.try_acquire():
            if not waited:
                self._context.log(step.name, "warning", f"waiting for process {lock.holder()}, which works on the same step")
            waited = True
            await turn()
            self._context.cancellation.check()
        return waited

    async def _make(self, step: PlannedStep, key: str) -> StepOutcome:
        context = self._context
        started, waited = time.monotonic(), 0.0
        current, number, failed, reasons = step, 1, [], []
        if underway := self._underway(step, key):
            failed.append(key)
            current, key = underway
        task = task_key(step, self._digests)
        if task and not underway and not self._refresh:
            self._take_over(step, key, task)
        while True:
            await self.open(current)
            context.journal.begin_step(context.run.id, step.name, key, number)
            if task:
                context.journal.begin_task(key, task, means_of(current))
            try:
                waited += await self._prepared(current, number)
                artifact, metrics = await self._attempt(current, key, number)
                break
            except TunesmithError as error:
                remedy = context.events.step_failed(context.facts(current, number), error) if number < ATTEMPTS else None
                if remedy is None:
                    for other in failed:
                        context.journal.drop_remedy(other)
                    raise
                failed.append(key)
                reasons.append(f"{error.code}, {remedy.reason}")
                current, key = await self._fixed(current, key, remedy, error)
                number += 1
                self._note(step, current, [other for other in failed if other != key], reasons)
                if key != failed[-1] and (cached := self._cached(current, key)):
                    return dataclasses.replace(cached, attempts=number - 1)
        return self._done(current, key, failed, artifact, metrics, number, time.monotonic() - started - waited)

    def _underway(self, step: PlannedStep, key: str) -> tuple[PlannedStep, str] | None:
        """The step with the settings of a remedy, and its key, where a run was killed while it tried these: they are gone on with."""
        if self._refresh or not (remedy := self._context.journal.remedied(key)):
            return None
        settings, reason = remedy
        fixed = dataclasses.replace(step, settings={**step.settings, **settings})
        made = self.key(fixed) or key
        if not (self._context.home / "work" / made).exists():
            return None
        self._context.decide(step.name, f"go on with {changes(step.settings, settings)}", f"the settings asked for failed: {reason}")
        return fixed, made

    def _take_over(self, step: PlannedStep, key: str, task: str) -> None:
        """Go on with what was begun by other means, unless the step has begun something itself, or somebody works on that."""
        context = self._context
        if (context.home / "work" / key).exists():
            return
        for found in begun(context.journal, context.home, context.plan, step, self._digests):
            context.journal.begin_task(key, task, means_of(step))
            if why := take_over(context.journal, context.home, found, key):
                context.log(step.name, "warning", f"what {found.means} has begun is not gone on with: {why}")
                continue
            decision = found.decision(step)
            context.decide(step.name, decision.what, decision.reason)
            return

    def _note(self, step: PlannedStep, current: PlannedStep, failed: list[str], reasons: list[str]) -> None:
        """Which settings worked where others failed; whoever asks for those is told so."""
        settings = {name: value for name, value in current.settings.items() if step.settings.get(name) != value}
        for key in dict.fromkeys(failed):
            self._context.journal.remedy(key, settings, "; ".join(dict.fromkeys(reasons)))

    async def _prepared(self, step: PlannedStep, number: int) -> float:
        """Have the services up that it reads; the seconds that takes are theirs."""
        began, context = time.monotonic(), self._context
        context.events.step_starting(context.facts(step, number))
        for name in self._read(step):
            planned = self._steps[name]
            if name not in self._services.names:
                await self.open(planned)
            context.artifacts[name] = await self._services.endpoint(planned, self.key(planned) or "")
        return time.monotonic() - began

    async def _attempt(self, step: PlannedStep, key: str, number: int) -> tuple[Artifact, Mapping[str, float]]:
        context, read = self._context, self._read(step)
        context.reporter.step_started(step, number)

        def watch() -> None:
            """While it runs: whether the services are up that it reads, and whether what it makes can still be kept."""
            if read:
                self._services.check(read)
            if context.journal.gone:
                raise gone(context.home)

        try:
            try:
                return await attempt(context, step, number, key, context.home / "work" / key, watch)
            except TunesmithError as error:
                if not fix(context, step, error.code):
                    raise
                return await attempt(context, step, number, key, context.home / "work" / key, watch)
        except TunesmithError:
            await self._services.blame(read)
            raise

    def _read(self, step: PlannedStep) -> list[str]:
        """The services that it reads."""
        return [source.step for source in step.inputs.values() if source.step and self._steps[source.step].verb.service]

    async def _fixed(self, step: PlannedStep, key: str, remedy: Remedy, error: TunesmithError) -> tuple[PlannedStep, str]:
        """The step with a remedy's settings, and its key."""
        context = self._context
        fixed = dataclasses.replace(step, settings={**step.settings, **remedy.settings})
        changed = changes(step.settings, remedy.settings)
        context.decide(step.name, f"try again after {error.code}" + (f" with {changed}" if changed else ""), remedy.reason)
        until = time.monotonic() + remedy.delay
        while time.monotonic() < until:
            context.cancellation.check()
            await turn()
        made = self.key(fixed) or key
        if remedy.resume and made != key:
            self._hand_on(key, made)
        return fixed, made

    def _hand_on(self, old: str, new: str) -> None:
        """What an attempt left for going on with becomes the next one's, whose settings give it another key."""
        work = self._context.home / "work"
        if (work / old).exists() and not (work / new).exists():
            (work / old).rename(work / new)
            self._context.journal.hand_series_on(old, new)

    def _done(
        self, step: PlannedStep, key: str, failed: list[str], artifact: Artifact, metrics: Mapping[str, float], number: int, seconds: float
    ) -> StepOutcome:
        """Note it under the settings that made it, then give up what was kept for going on with it."""
        context = self._context
        inputs = {name: self._digests.get(source.step) or source.digest for name, source in step.inputs.items()}
        row = CacheRow(key, artifact.digest, metrics, seconds, artifact.producer, inputs, artifact.meta)
        with context.journal.batch():
            context.journal.remember(row)
            for ended in (*failed, key):
                context.journal.end_task(ended)
            context.journal.trace(context.run.id, step.name, row, cached=False)
            context.journal.end_step(context.run.id, step.name, "done", artifact=artifact.digest)
        self._made.add(key)
        for left in (*failed, key):
            shutil.rmtree(context.home / "work" / left, ignore_errors=True)
        context.events.artifact_committed(context.facts(step, number, metrics, seconds), artifact)
        context.events.step_finished(context.facts(step, number, metrics, seconds))
        size = context.store.size(artifact.digest)
        return StepOutcome(step.name, "done", False, seconds, artifact, size, metrics, attempts=number)


def closure(artifact: Artifact) -> set[str]:
    """The digests of an artifact and of all that it refers to."""
    return {artifact.digest}.union(*(closure(ref) for ref in artifact.refs.values()))
