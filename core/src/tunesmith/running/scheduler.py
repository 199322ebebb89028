"""The order of one run: who may begin and who must wait for whom, when services come and go, and how it ends.

Steps run beside each other where neither needs the other and the machine admits both (`Admission`); they take turns in this thread.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping

from tunesmith.contracts.artifacts import Artifact
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith.isolation.error_conversion import disk_error
from tunesmith.planning.inputs.model_source import LOADER
from tunesmith.planning.plan import PlannedStep
from tunesmith.planning.schedule import Waiting, services_of, wanted
from tunesmith.running.journal.journal import gone
from tunesmith.running.journal.run_view import RunView
from tunesmith.running.outcome import RunOutcome, StepOutcome
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.cached_results import find
from tunesmith.running.steps.environments import resolve_environments
from tunesmith.running.steps.gates import check_gates
from tunesmith.running.steps.services import Services
from tunesmith.running.steps.step import StepRunner
from tunesmith.running.turns import Ongoing, to_the_end

POLL = 0.1  # seconds between two looks at the processes


class Scheduler:
    """One run of a plan. A step that fails, or a gate, ends what depends on it; the other branches go on.

    Args:
        keep_serving, refresh: as of `Runner`.
    """

    def __init__(self, context: RunContext, keep_serving: bool, refresh: bool) -> None:
        self._context, self._keep_serving, self._refresh = context, keep_serving, refresh
        self._services = Services(context)
        self._running: dict[str, Ongoing[StepOutcome]] = {}
        self._stopping: dict[str, Ongoing[None]] = {}  # services that nobody needs any more
        self._looked: dict[str, float] = {}  # step that waits for room -> when it was not done
        self._blocked: dict[str, str] = {}  # step -> why nothing that needs it can run
        self._error: TunesmithError | None = None

    def run(self) -> RunOutcome:
        """Carry it out, and stay for its services; what goes wrong is in the outcome."""
        state = "failed"
        try:
            resolve_environments(self._context, self._keep_serving, self._refresh)
            self._index()
            self._carry_out()
            if not self._error:
                self._serve()
                state = "done"
        except Cancelled:
            state = "cancelled"
        except (TunesmithError, OSError) as error:
            self._error, state = disk_error(error) if isinstance(error, OSError) else error, "failed"
        finally:
            for ongoing in (*self._running.values(), *self._stopping.values()):
                with contextlib.suppress(TunesmithError, OSError):  # it is told already why the run ends
                    ongoing.close()
            self._services.kill_all()
            self._context.sockets.close()
        if self._context.journal.gone:
            return self._outcome("failed", gone(self._context.home))
        return self._finish(state)

    def _index(self) -> None:
        """Look up once who belongs together, now that the plan is whole."""
        plan = self._context.plan
        self._steps = StepRunner(self._context, self._services, self._refresh)
        self._waiting = Waiting(plan)
        self._planned = {step.name: step for step in plan.steps}
        self._groups: dict[str, list[str]] = {}
        self._readers: dict[str, list[PlannedStep]] = {step.name: [] for step in plan.steps if step.verb.service}
        for step in plan.steps:
            self._groups.setdefault(step.group, []).append(step.name)
            for service in services_of(step, self._planned):
                self._readers[service.name].append(step)
        self._left = {group: len(names) for group, names in self._groups.items()}  # of a group that have not ended

    def _carry_out(self) -> None:
        while True:
            if not self._context.cancellation.requested:
                self._begin()
            if not self._running and not self._stopping:
                self._context.cancellation.check()
                return
            failed = None
            try:
                self._listen()
            except TunesmithError as error:  # what a step reports can't be noted: it is told of it where it waits
                if not self._running:
                    raise
                failed = error
            for name in list(self._running):
                self._go_on(name, failed)
            for name, ongoing in list(self._stopping.items()):
                if _is_over(ongoing):
                    del self._stopping[name]
                    self._settled(name, "done")

    def _listen(self) -> None:
        self._context.sockets.pump(POLL)
        self._services.tick()

    # --- steps -------------------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Start what waits for nobody, as far as there is room; what is done already needs none."""
        context = self._context
        for step in self._waiting.ready():
            if reason := self._obstacle(step):
                self._blocked[step.name] = reason
                self._end(step, StepOutcome(step.name, "skipped"), reason)
                self._settle_services(step)
            elif step.verb.service:
                # Not started before somebody needs it; its key stands for it in the keys of its readers.
                context.artifacts[step.name] = Artifact(step.format, context.run.directory, self._steps.key(step) or "")
                self._waiting.ended(step.name)
            elif step.name not in self._looked and (cached := self._steps.cached(step)):
                self._done(step, cached)
            elif self._enter(step):
                self._running[step.name] = self._steps.run(step, self._looked.get(step.name, time.monotonic()))
                self._go_on(step.name)
            else:
                self._looked.setdefault(step.name, time.monotonic())
                self._waiting.put_back(step)

    def _enter(self, step: PlannedStep) -> bool:
        admission, services = self._context.admission, services_of(step, self._planned)
        up = [service.name for service in services if admission.holds(service.name)]
        return admission.admit(step.name, wanted(step, services, up))

    def _go_on(self, name: str, failed: TunesmithError | None = None) -> None:
        """Let a step have its turn; of `failed`, it ends."""
        step, ongoing = self._planned[name], self._running[name]
        try:
            ongoing.throw(failed) if failed else ongoing.send(None)
            return
        except StopIteration as end:
            outcome = end.value
        except Cancelled:
            outcome = StepOutcome(name, "cancelled")
        except (TunesmithError, OSError) as error:
            outcome = StepOutcome(name, "failed", error=disk_error(error) if isinstance(error, OSError) else error)
        del self._running[name]
        self._context.admission.release(name)
        self._done(step, outcome)

    def _done(self, step: PlannedStep, outcome: StepOutcome) -> None:
        if outcome.artifact and LOADER in step.choices:
            try:
                self._context.check_model(step.settings["uri"], outcome.artifact.digest)
            except TunesmithError as error:
                outcome = StepOutcome(step.name, "failed", error=error)
        if outcome.artifact is not None:
            self._context.artifacts[step.name] = outcome.artifact
        else:
            self._error = self._error or outcome.error
            self._blocked[step.name] = f"`{step.name}` {outcome.state}"
        self._end(step, outcome)
        self._settle_services(step)

    def _obstacle(self, step: PlannedStep) -> str:
        """Why a step can't run; empty if it can."""
        needed = [*(source.step for source in step.inputs.values() if source.step), *step.after]
        return next((self._blocked[name] for name in needed if name in self._blocked), "")

    def _gates(self, group: str) -> None:
        """Check a group's gates when all its steps have ended, and none without a result."""
        names = self._groups[group]
        if any(name in self._blocked for name in names):
            return
        if error := check_gates(self._context, group):
            self._error = self._error or error
            self._blocked.update(dict.fromkeys(names, f"the gate of `{group}` did not hold"))

    def _end(self, step: PlannedStep, outcome: StepOutcome, reason: str = "") -> None:
        context = self._context
        context.outcomes[step.name] = outcome
        if step.verb.service or not outcome.artifact:  # else it is noted together with its artifact
            context.journal.end_step(context.run.id, step.name, outcome.state, error=outcome.error, cached=outcome.cached)
        if reason:
            context.journal.event(context.run.id, step.name, "info", f"skipped: {reason}")
        context.reporter.step_finished(step, outcome)
        self._left[step.group] -= 1
        if not self._left[step.group]:
            self._gates(step.group)
        if not step.verb.service or outcome.state == "skipped":
            self._waiting.ended(step.name)

    # --- services ----------------------------------------------------------------------------------------------------------------

    def _is_needed(self, service: str) -> bool:
        """Whether a step that is still to come, and is not done already, reads a service."""
        context = self._context
        digests = {name: artifact.digest for name, artifact in context.artifacts.items()}
        ahead = (step for step in self._readers[service] if step.name not in context.outcomes)
        return any(self._refresh or find(context.journal, context.store, step, digests) is None for step in ahead)

    def _settle_services(self, reader: PlannedStep) -> None:
        for service in services_of(reader, self._planned):
            self._settle(service)

    def _settle(self, service: PlannedStep) -> None:
        """Stop a service that nobody to come needs; one that was never up is settled, too."""
        name, readers = service.name, self._readers[service.name]
        if name in self._context.outcomes or name in self._stopping or any(step.name in self._running for step in readers):
            return
        if self._is_needed(name):
            return
        if name in self._services.names:
            self._stopping[name] = self._services.stop(name)
        else:
            unread = {self._context.outcomes[step.name].state for step in readers if step.name in self._context.outcomes} == {"skipped"}
            self._settled(name, "skipped" if unread else "done", cached=not unread)

    def _settled(self, name: str, state: str, cached: bool = False) -> None:
        self._context.admission.release(name)
        if name not in self._context.outcomes:
            self._end(self._planned[name], StepOutcome(name, state, cached=cached))

    def _serve(self) -> None:
        """Bring up the services that nobody reads, and stay until the run is cancelled."""
        context = self._context
        for step in (step for step in context.plan.steps if step.verb.service and step.name not in context.outcomes):
            if not self._keep_serving:
                self._end(step, StepOutcome(step.name, "skipped"), "this run was asked not to serve")
            else:
                context.admission.admit(step.name, wanted(step, (), ()))
                to_the_end(self._foreground(step), self._listen)
        if self._services.names:
            context.journal.end_run(context.run.id, "serving")
            self._tell()  # what plugins write about the run is there while the endpoint is
            self._stay()

    def _stay(self) -> None:
        while not self._context.cancellation.requested:
            self._listen()
            self._services.check()
        to_the_end(self._services.stop_all(), self._listen)

    async def _foreground(self, step: PlannedStep) -> None:
        context = self._context
        await self._steps.open(step)
        endpoint = await self._services.endpoint(step, self._steps.key(step) or "")
        self._end(step, StepOutcome(step.name, "done", artifact=endpoint, attempts=1))
        context.reporter.service_ready(step, endpoint.meta, True)

    # --- the end -----------------------------------------------------------------------------------------------------------------

    def _finish(self, state: str) -> RunOutcome:
        context = self._context
        try:
            for step in context.plan.steps:
                if step.verb.service and step.name not in context.outcomes and step.name in context.endpoints:
                    self._end(step, StepOutcome(step.name, "done" if state == "done" else "cancelled"))
            context.journal.end_run(context.run.id, state, self._error)
            self._tell()
            return self._outcome(state)
        except TunesmithError as error:  # not even that can be written: the next run will call this one interrupted
            return self._outcome("failed", self._error or error)

    def _tell(self) -> None:
        """Those who listen, that the run is over, or stays for its services alone."""
        context = self._context
        if context.events.hears("run_finished") and (row := context.journal.run(context.run.id)):
            view = RunView(context.journal, context.home, row, lambda: context.environments.all())
            context.events.run_finished(context.run, view)

    def _outcome(self, state: str, error: TunesmithError | None = None) -> RunOutcome:
        context = self._context
        return RunOutcome(
            context.run.id, state, context.run.directory, self._in_order(), tuple(context.gates), dict(context.endpoints),
            error or self._error,
        )  # fmt: skip

    def _in_order(self) -> Mapping[str, StepOutcome]:
        outcomes = self._context.outcomes
        return {step.name: outcomes[step.name] for step in self._context.plan.steps if step.name in outcomes}


def _is_over(ongoing: Ongoing[None]) -> bool:
    try:
        ongoing.send(None)
    except StopIteration:
        return True
    return False
