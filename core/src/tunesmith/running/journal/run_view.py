"""A run as its home knows it, read only: while it goes on, after it was killed, and years later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.kinds.environment_builder import Environment
from tunesmith.planning.pipeline.gates import check_gate, group_metrics
from tunesmith.planning.plan import Plan
from tunesmith.running.journal import run_directories as runs
from tunesmith.running.journal.journal import Journal
from tunesmith.running.journal.records import CacheRow, LineageRow, ProgressRow, RunRow, StepRow
from tunesmith.running.outcome import GateOutcome, report_of
from tunesmith.running.store.store import Store


@dataclass(frozen=True)
class StepView:
    """A step of a run.

    Args:
        row: what the journal says of it.
        made: how its artifact was made, in this run or an earlier one; None where it has none, or that is not known any more.
        progress: of its tasks since it last began, the latest last.
    """

    row: StepRow
    made: CacheRow | None = None
    progress: Sequence[ProgressRow] = ()

    @property
    def name(self) -> str:
        return self.row.step

    @property
    def metrics(self) -> Mapping[str, float]:
        """What was measured of its artifact; empty without one."""
        return self.made.metrics if self.made else {}

    @property
    def seconds(self) -> float | None:
        """How long making its artifact took, whichever run did it; of a step that failed, how long it ran."""
        if self.made and self.row.cached:
            return self.made.seconds
        return self.row.finished - self.row.started if self.row.started and self.row.finished else None


class RunView:
    """What terminal, report and pages render from. Plugins know it as `tunesmith.RunView`, and are given one by the hook `run_finished`.

    Args:
        row: the run, as `Journal.run` or `runs.find` gives it.
        built: gives the environments that there are, asked for where a step has an isolated one.
    """

    def __init__(self, journal: Journal, home: Path, row: RunRow, built: Callable[[], Iterable[Environment]] = tuple) -> None:
        self.row, self.home = row, home
        self._journal, self._built = journal, built

    @property
    def directory(self) -> Path:
        """Where its plan, its logs and what plugins write about it are."""
        return runs.directory(self.home, self.row.id)

    @property
    def report(self) -> Path | None:
        """Its page for people, where a plugin has written one at its end."""
        return report_of(self.directory)

    @cached_property
    def plan(self) -> Plan:
        """
        Raises:
            TunesmithError: TS-RUN-022 when its file is gone or of another version.
        """
        return runs.stored_plan(self.home, self.row.id)

    @cached_property
    def steps(self) -> dict[str, StepView]:
        """By name, in the plan's order."""
        progress = self._journal.progress_of(self.row.id)
        return {
            row.step: StepView(row, self._made(row), [task for task in progress if task.step == row.step])
            for row in self._journal.steps(self.row.id)
        }

    def _made(self, row: StepRow) -> CacheRow | None:
        known = self._journal.cached(row.key) if row.key and row.artifact else None
        return known if known and known.digest == row.artifact else None

    @cached_property
    def decisions(self) -> list[tuple[str, str, str]]:
        """(step, what, reason) in the order they were made."""
        return self._journal.decisions(self.row.id)

    @cached_property
    def lineage(self) -> list[LineageRow]:
        """Which artifact each step gave, in the order it happened."""
        return self._journal.lineage(run=self.row.id)

    def series(self, step: str) -> dict[str, list[tuple[int, float]]]:
        """name -> points of what a step measured as it ran."""
        row = self.steps[step].row
        return self._journal.series(row.key) if row.key else {}

    def artifact(self, step: str) -> Artifact | None:
        """What a step gave, to read; None if it gave nothing, or that is not in the store any more."""
        row = self.steps[step].row
        return Store(self.home).get(row.artifact) if row.artifact else None

    def size(self, step: str) -> int | None:
        """Bytes of what a step gave; None if it gave nothing."""
        row = self.steps[step].row
        return Store(self.home).size(row.artifact) if row.artifact else None

    @cached_property
    def gates(self) -> list[GateOutcome]:
        """Of the groups whose steps are all over, each source by itself."""
        measured = {name: step.metrics for name, step in self.steps.items() if step.row.state in ("done", "skipped")}
        open_ = {step.group for step in self.plan.steps if step.name not in measured}
        return [
            GateOutcome(gate.group, check.sentence, check.holds)
            for gate in self.plan.gates
            if gate.group not in open_
            for check in check_gate(gate, group_metrics(self.plan, gate.group, measured))
        ]

    @cached_property
    def environments(self) -> dict[str, Environment]:
        """key (`lock` of the plan's steps) -> the isolated environment that a step ran in; without those that are there no more."""
        wanted = {step.lock for step in self.plan.steps if step.recipe}
        return {environment.key: environment for environment in (self._built() if wanted else ()) if environment.key in wanted}

    def events(self, step: str = "") -> list[tuple[float, str, str, str]]:
        """(time, step, kind, text) in order, of one step or of all."""
        return self._journal.events(self.row.id, step)

    def to_json(self) -> dict[str, Any]:
        """All but events, series and the plan, as data."""
        from dataclasses import asdict

        steps = [
            asdict(step.row)
            | {"seconds": step.seconds, "metrics": dict(step.metrics)}
            | {name: dict(getattr(step.made, name, {})) for name in ("producer", "inputs")}
            | {"progress": [{name: getattr(task, name) for name in ("what", "done", "total", "unit", "time")} for task in step.progress]}
            for step in self.steps.values()
        ]
        decisions = [{"step": step, "what": what, "reason": reason} for step, what, reason in self.decisions]
        report = str(self.report) if self.report else None
        return asdict(self.row) | {"directory": str(self.directory), "report": report, "steps": steps, "decisions": decisions}
