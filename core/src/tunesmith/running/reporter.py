"""What a run tells whoever watches: a terminal, a log, a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tunesmith.contracts.events import RunFacts
from tunesmith.planning.plan import Decision, Plan, PlannedStep
from tunesmith.running.outcome import GateOutcome, RunOutcome, StepOutcome


class Reporter(Protocol):
    """Called in the thread that runs; should return quickly."""

    def run_started(self, run: RunFacts, plan: Plan, resumed: bool) -> None: ...

    def environment_started(self, name: str) -> None:
        """An isolated environment is built for some steps; `progress` tells of it under its name."""

    def environment_ready(self, name: str, key: str, disk: int, seconds: float) -> None:
        """It is there: `disk` bytes, after so many seconds."""

    def step_started(self, step: PlannedStep, attempt: int) -> None:
        """A worker starts on it; a cached step only finishes."""

    def progress(self, step: str, what: str, done: float, total: float | None, unit: str) -> None:
        """How far the task `what` of a step has come; `total` None if nobody knows."""

    def log(self, step: str, level: str, message: str) -> None:
        """A line; levels debug, info, warning, error. `step` is empty for the run as a whole."""

    def metric(self, step: str, name: str, value: float, at: int) -> None: ...

    def decision(self, decision: Decision) -> None:
        """Something was decided while running."""

    def step_finished(self, step: PlannedStep, outcome: StepOutcome) -> None:
        """Whatever its state."""

    def gate_checked(self, gate: GateOutcome) -> None: ...

    def service_ready(self, step: PlannedStep, facts: Mapping[str, Any], foreground: bool) -> None:
        """An endpoint answers: `facts` has ``url`` and ``model``. `foreground`: the run now stays until it is stopped."""

    def service_stopped(self, step: PlannedStep) -> None: ...

    def run_finished(self, outcome: RunOutcome) -> None: ...


class Silent(Reporter):
    """A reporter that says nothing; a base for those that say something."""
