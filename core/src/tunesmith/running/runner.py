"""Carries out a plan: step by step, each at most once, whatever happened before (law L5)."""

from __future__ import annotations

from tunesmith.config import Config
from tunesmith.contracts.digests import FileDigests
from tunesmith.contracts.events import RunFacts
from tunesmith.contracts.worker_process import Starter
from tunesmith.errors import TunesmithError
from tunesmith.isolation.error_conversion import disk_error
from tunesmith.planning.placement.admission import Admission
from tunesmith.planning.plan import Plan
from tunesmith.plugins.registry import Registry
from tunesmith.plugins.required_plugins import check_required
from tunesmith.running.cancellation import Cancellation
from tunesmith.running.event_hooks import EventHooks
from tunesmith.running.home_permissions import make_home
from tunesmith.running.journal import run_directories as runs
from tunesmith.running.journal.journal import Journal, gone
from tunesmith.running.journal.plan_file import write_plan
from tunesmith.running.outcome import REPORT, RunOutcome
from tunesmith.running.reporter import Reporter, Silent
from tunesmith.running.run_context import RunContext
from tunesmith.running.scheduler import Scheduler
from tunesmith.running.steps.environments import environments_of
from tunesmith.running.steps.ports import check_ports
from tunesmith.running.store.disk_space import check_room
from tunesmith.running.store.store import Store
from tunesmith.running.worker.local_starter import LocalStarter


class Runner:
    """A plan and where to carry it out.

    Args:
        reporter: told of everything as it happens.
        keep_serving: a service at the end of the pipeline stays up until the run is cancelled; else it is not started.
        refresh: run every step again though it is done.
        aside: it is a command's own, on its way to what it shows: no run that a user would look for.
        starter: where workers start; this machine if left out.
        jobs: steps at a time; 0: as memory, devices and cores allow; None: as the configuration says.
    """

    def __init__(
        self, plan: Plan, registry: Registry, config: Config, *, reporter: Reporter | None = None, keep_serving: bool = True,
        refresh: bool = False, aside: bool = False, starter: Starter | None = None, jobs: int | None = None,
    ) -> None:  # fmt: skip
        self._plan, self._registry, self._config = plan, registry, config
        self._reporter = reporter or Silent()
        self._keep_serving, self._refresh, self._aside = keep_serving, refresh, aside
        self._starter = starter or LocalStarter()
        self._jobs = config.jobs if jobs is None else jobs
        self._cancellation = Cancellation()

    def cancel(self) -> None:
        """Ask the run to stop, as Ctrl-C does; from any thread. Called twice, it does not wait."""
        self._cancellation.request()

    def run(self, resume: str | None = None) -> RunOutcome:
        """Carry the plan out, or go on with the run of that id.

        What fails is in the outcome. Raised is only what keeps the run from being noted at all (TS-STORE-...), and what shows beforehand
        that it would fail in the end (TS-SERVE-001: a port in use, TS-PLAN-009: a disk that is too full), or that a plugin which the
        configuration requires is not at work (TS-PLUGIN-022, TS-PLUGIN-023).
        """
        check_required(self._config.required, self._registry.plugins)
        if self._keep_serving:
            check_ports(self._plan)
        try:
            make_home(self._config.home, self._config.group)
            check_room(self._plan, self._config.home)
            return self._run(resume or runs.new_id(), resume is not None)
        except OSError as error:
            raise disk_error(error) from error

    def _run(self, run: str, resumed: bool) -> RunOutcome:
        home = self._config.home
        journal = Journal(home)
        store = Store(home)
        store.staging.sweep()
        runs.mark_interrupted(journal, home)
        facts = RunFacts(run, self._plan.name, runs.directory(home, run), self._plan.base)
        try:
            with runs.lock(home, run), self._cancellation.by_signals():
                write_plan(self._plan, facts.directory)
                (facts.directory / REPORT).unlink(missing_ok=True)  # of a run that goes on: it is not what it tells any more
                names = [step.name for step in self._plan.steps]
                journal.begin_run(run, self._plan.name, str(self._plan.path or ""), names, aside=self._aside)
                return self._carry_out(self._context(facts, journal, store), resumed)
        except (OSError, TunesmithError) as error:
            raise (gone(home) if journal.gone else error) from error
        finally:
            journal.close()

    def _context(self, facts: RunFacts, journal: Journal, store: Store) -> RunContext:
        def complain(sentence: str) -> None:
            journal.event(facts.id, "", "warning", sentence)
            self._reporter.log("", "warning", sentence)

        digests = FileDigests(self._config.cache / "digests")
        return RunContext(
            self._plan, facts, self._config.home, journal, store, self._starter, self._reporter, digests,
            EventHooks(self._registry.plugins, complain, self._config.required, lambda: journal.gone, self._plan.listeners),
            self._cancellation, self._config.verify, self._config.hang_timeout, Admission(self._plan.machine, self._jobs),
            lambda: environments_of(self._config.environments, self._registry), self._config.check_model, self._config.roots,
        )  # fmt: skip

    def _carry_out(self, context: RunContext, resumed: bool) -> RunOutcome:
        self._reporter.run_started(context.run, self._plan, resumed)
        for decision in self._plan.decisions:
            context.journal.decide(context.run.id, decision.step, decision.what, decision.reason)
        context.events.run_started(context.run)
        outcome = Scheduler(context, self._keep_serving, self._refresh).run()
        self._reporter.run_finished(outcome)
        return outcome
