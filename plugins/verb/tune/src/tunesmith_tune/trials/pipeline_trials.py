"""Trials as runs: the pipeline with a trial's values, carried out in this home, from the step cache and from checkpoints."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.config import Config
from tunesmith.contracts.events import RunFacts
from tunesmith.errors import TunesmithError
from tunesmith.planning.plan import Plan
from tunesmith.plugins.registry import Registry
from tunesmith.running.reporter import Silent
from tunesmith_cli.api import samples
from tunesmith_tune.api import Point, Value
from tunesmith_tune.study.loop import TrialOutcome
from tunesmith_tune.study.patience import RowsFile
from tunesmith_tune.study.study import Leg
from tunesmith_tune.trials.metrics import PlannedMetric, find_followed, find_metric

if TYPE_CHECKING:
    from tunesmith.running.journal.run_view import RunView
    from tunesmith.running.outcome import RunOutcome
    from tunesmith.running.runner import Runner

STEPS = "steps"  #: the unit of the progress that a series' places count in


@dataclass(frozen=True)
class Measured:
    """What is read of a trial: in another trial's plan the same may be measured by a step of another name."""

    metrics: tuple[str, ...]
    followed: bool

    def of(self, plan: Plan) -> tuple[list[PlannedMetric], PlannedMetric | None]:
        found = [find_metric(plan, written) for written in self.metrics]
        return found, find_followed(plan, found[0]) if self.followed else None


class PipelineTrials:
    """
    Args:
        plan: the pipeline's plan with a trial's values.
        rows: where what each row came to is kept.
    """

    def __init__(
        self, config: Config, registry: Registry, plan: Callable[[Mapping[str, Value]], Plan], measured: Measured, rows: RowsFile,
        devices: int = 1,
    ) -> None:  # fmt: skip
        self.config, self.registry, self.plan, self.measured, self.rows, self.devices = config, registry, plan, measured, rows, devices
        self._planning = threading.Lock()

    def run(self, leg: Leg, began: Callable[[str], None], heed: Callable[[Point], bool], stop: threading.Event) -> TrialOutcome:
        """See `Trials.run`. A trial that can't be planned has failed, at no cost."""
        from tunesmith.running.runner import Runner

        try:
            with self._planning:
                plan = self.plan(leg.values)
            metrics, followed = self.measured.of(plan)
            watch = _Watch(followed, began, heed, stop)
            watch.runner = runner = Runner(plan, self.registry, self.config, reporter=watch, keep_serving=False)
            with _cancelled_by(stop, runner):
                outcome = runner.run(resume=leg.run or None)
        except TunesmithError as error:
            return TrialOutcome("failed", error=error)
        return self._outcome(leg, outcome, metrics, followed, heed)

    def _outcome(
        self, leg: Leg, outcome: RunOutcome, metrics: list[PlannedMetric], followed: PlannedMetric | None, heed: Callable[[Point], bool]
    ) -> TrialOutcome:
        if outcome.state == "cancelled":
            return TrialOutcome("stopped")
        if followed:
            self._tell_series(outcome, followed, heed)
        if outcome.error:
            return TrialOutcome("failed", error=outcome.error)
        scores = []
        for metric in metrics:
            value = outcome.steps[metric.step].metrics.get(metric.name, math.nan) if metric.step in outcome.steps else math.nan
            if not math.isfinite(value):
                what = f"`{metric.step}` has not measured `{metric.name}`"
                return TrialOutcome("failed", error=TunesmithError("TS-TUNE-008", what, fix="See its log: `tunesmith runs logs`."))
            scores.append(value)
        if rows := samples(outcome.steps[metrics[0].step].artifact):
            self.rows.write(leg.trial, rows)
        return TrialOutcome("done", tuple(scores))

    def _tell_series(self, outcome: RunOutcome, followed: PlannedMetric, heed: Callable[[Point], bool]) -> None:
        """All points once more: a step that was answered from the cache has told none."""
        from tunesmith.running.journal.journal import Journal
        from tunesmith.running.journal.run_view import RunView

        journal = Journal(self.config.home)
        try:
            row = journal.run(outcome.run)
            view: RunView | None = RunView(journal, self.config.home, row) if row else None
            points = view.series(followed.step).get(followed.name, []) if view and followed.step in view.steps else []
        finally:
            journal.close()
        last = max((at for at, _ in points), default=0)
        for at, value in points:
            if heed(Point(at / last, value)):
                return


class _Watch(Silent):
    """Hears of a run what a search has to know."""

    def __init__(
        self, followed: PlannedMetric | None, began: Callable[[str], None], heed: Callable[[Point], bool], stop: threading.Event
    ) -> None:
        self.followed, self.began, self.heed, self.stop = followed, began, heed, stop
        self.runner: Runner | None = None
        self.total = 0.0

    def run_started(self, run: RunFacts, plan: Any, resumed: bool) -> None:
        if not resumed:
            self.began(run.id)

    def progress(self, step: str, what: str, done: float, total: float | None, unit: str) -> None:
        if self.followed and step == self.followed.step and unit == STEPS and total:
            self.total = total

    def metric(self, step: str, name: str, value: float, at: int) -> None:
        mine = self.followed is not None and (step, name) == (self.followed.step, self.followed.name)
        if mine and self.total and not self.stop.is_set() and self.heed(Point(at / self.total, value)) and self.runner:
            self.runner.cancel()


@contextlib.contextmanager
def _cancelled_by(stop: threading.Event, runner: Runner):  # type: ignore[no-untyped-def]
    """Cancel a run when an event is set."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            if stop.is_set():
                runner.cancel()
                return

    thread = threading.Thread(target=watch, name="stop of a trial", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
