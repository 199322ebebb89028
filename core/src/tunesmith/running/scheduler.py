"""The course of one run: the order of its steps, who must wait for whom, when services come and go, and how it ends."""

from __future__ import annotations

from tunesmith.contracts.artifacts import Artifact
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith.isolation.error_conversion import disk_error
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.journal.journal import gone
from tunesmith.running.journal.run_view import RunView
from tunesmith.running.outcome import RunOutcome, StepOutcome
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.attempt import POLL
from tunesmith.running.steps.cached_results import find
from tunesmith.running.steps.environments import resolve_environments
from tunesmith.running.steps.gates import check_gates
from tunesmith.running.steps.services import Services
from tunesmith.running.steps.step import StepRunner


class Scheduler:
    """One run of a plan. A step that fails ends it; a gate that fails ends what depends on its group.

    Args:
        keep_serving, refresh: as of `Runner`.
    """

    def __init__(self, context: RunContext, keep_serving: bool, refresh: bool) -> None:
        self._context, self._keep_serving, self._refresh = context, keep_serving, refresh
        self._services = Services(context)
        self._steps = StepRunner(context, self._services, refresh)
        self._blocked: dict[str, str] = {}  # step -> why nothing that needs it can run
        self._error: TunesmithError | None = None
        self._checked: set[str] = set()

    def run(self) -> RunOutcome:
        """Carry it out, and stay for its services; what goes wrong is in the outcome."""
        state = "failed"
        try:
            resolve_environments(self._context, self._keep_serving, self._refresh)
            for step in self._context.plan.steps:
                self._context.cancellation.check()
                self._step(step)
            if not self._error:
                self._serve()
                state = "done"
        except Cancelled:
            state = "cancelled"
        except (TunesmithError, OSError) as error:
            self._error, state = disk_error(error) if isinstance(error, OSError) else error, "failed"
        finally:
            self._services.kill_all()
            self._context.sockets.close()
        if self._context.journal.gone:
            return self._outcome("failed", gone(self._context.home))
        return self._finish(state)

    # --- steps -------------------------------------------------------------------------------------------------------------------

    def _step(self, step: PlannedStep) -> None:
        context = self._context
        if reason := self._obstacle(step):
            self._blocked[step.name] = reason
            self._end(step, StepOutcome(step.name, "skipped"), reason)
        elif step.verb.service:
            # Not started before somebody needs it; its key stands for it in the keys of its readers.
            context.artifacts[step.name] = Artifact(step.format, context.run.directory, self._steps.key(step) or "")
        else:
            try:
                outcome = self._steps.run(step)
            except Cancelled:
                self._end(step, StepOutcome(step.name, "cancelled"))
                raise
            except TunesmithError as error:
                self._end(step, StepOutcome(step.name, "failed", error=error))
                raise
            assert outcome.artifact is not None
            context.artifacts[step.name] = outcome.artifact
            self._end(step, outcome)
        self._gates(step.group)
        self._settle_services()

    def _obstacle(self, step: PlannedStep) -> str:
        """Why a step can't run; empty if it can."""
        needed = [source.step for source in step.inputs.values() if source.step]
        needed += [other.name for other in self._context.plan.steps if {other.name, other.group} & set(step.after)]
        return next((self._blocked[name] for name in needed if name in self._blocked), "")

    def _gates(self, group: str) -> None:
        """Check a group's gates once all its steps are done."""
        members = [step.name for step in self._context.plan.steps if step.group == group]
        if group in self._checked or not all(name in self._context.outcomes for name in members):
            return
        self._checked.add(group)
        if error := check_gates(self._context, group):
            self._error = self._error or error
            self._blocked.update(dict.fromkeys(members, f"the gate of `{group}` did not hold"))

    def _end(self, step: PlannedStep, outcome: StepOutcome, reason: str = "") -> None:
        context = self._context
        context.outcomes[step.name] = outcome
        if step.verb.service or not outcome.artifact:  # else it is noted together with its artifact
            context.journal.end_step(context.run.id, step.name, outcome.state, error=outcome.error, cached=outcome.cached)
        if reason:
            context.journal.event(context.run.id, step.name, "info", f"skipped: {reason}")
        context.reporter.step_finished(step, outcome)

    # --- services ----------------------------------------------------------------------------------------------------------------

    def _is_needed(self, service: str) -> bool:
        """Whether a step that is still to come, and is not done already, reads a service."""
        context = self._context
        digests = {name: artifact.digest for name, artifact in context.artifacts.items()}
        for step in context.plan.steps:
            if step.name in context.outcomes or all(source.step != service for source in step.inputs.values()):
                continue
            if self._refresh or find(context.journal, context.store, step, digests) is None:
                return True
        return False

    def _settle_services(self) -> None:
        """Stop the services that nobody to come needs; one that was never up is settled, too."""
        context = self._context
        for step in context.plan.steps:
            open_ = step.verb.service and step.name in context.artifacts and step.name not in context.outcomes
            readers = [other.name for other in context.plan.steps if any(source.step == step.name for source in other.inputs.values())]
            if open_ and readers and not self._is_needed(step.name):
                up = step.name in self._services.names
                self._services.stop(step.name)
                unread = not up and {context.outcomes[name].state for name in readers if name in context.outcomes} == {"skipped"}
                self._end(step, StepOutcome(step.name, "skipped" if unread else "done", cached=not up and not unread))

    def _serve(self) -> None:
        """Bring up the services that nobody reads, and stay until the run is cancelled."""
        context = self._context
        for step in (step for step in context.plan.steps if step.verb.service and step.name not in context.outcomes):
            if not self._keep_serving:
                self._end(step, StepOutcome(step.name, "skipped"), "this run was asked not to serve")
            else:
                self._foreground(step)
        if self._services.names:
            context.journal.end_run(context.run.id, "serving")
            self._tell()  # what plugins write about the run is there while the endpoint is
            self._stay()

    def _stay(self) -> None:
        while not self._context.cancellation.requested:
            self._context.sockets.pump(POLL)
            self._services.check()
        self._services.stop_all()

    def _foreground(self, step: PlannedStep) -> None:
        context = self._context
        self._steps.open(step)
        endpoint = self._services.endpoint(step, self._steps.key(step) or "")
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
            context.run.id, state, context.run.directory, dict(context.outcomes), tuple(context.gates), dict(context.endpoints),
            error or self._error,
        )  # fmt: skip
