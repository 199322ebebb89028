"""A run as its home knows it, read only: while it goes on, after it was killed, and years later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.planning.plan import Plan
from tunesmith.running import runs
from tunesmith.running.journal import Journal
from tunesmith.running.journal_rows import CacheRow, LineageRow, ProgressRow, RunRow, StepRow


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
    """What terminal, report and pages render from.

    Args:
        row: the run, as `Journal.run` or `runs.find` gives it.
    """

    def __init__(self, journal: Journal, home: Path, row: RunRow) -> None:
        self.row, self.home = row, home
        self._journal = journal

    @property
    def directory(self) -> Path:
        """Where its plan, logs and report are."""
        return runs.directory(self.home, self.row.id)

    @property
    def report(self) -> Path | None:
        """Its report as a page; None until it has ended."""
        path = self.directory / "report.html"
        return path if path.is_file() else None

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
