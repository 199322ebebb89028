"""Every event as one line of JSON, for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.events import RunFacts
from tunesmith.planning.plan import Decision, Plan, PlannedStep
from tunesmith.running.outcome import GateOutcome, RunOutcome, StepOutcome
from tunesmith.running.reporter import Silent
from tunesmith_cli.display.event_fields import VERSION
from tunesmith_cli.display.summary import what as verb_text
from tunesmith_cli.untrusted_text import safe_json


class JsonLines(Silent):
    """``{"event": name, ...}`` per line; see `event_fields`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def tell(self, event: str, **fields: Any) -> None:
        print(safe_json({"event": event, **plain(fields)}), file=self._stream, flush=True)

    def close(self) -> None:
        pass

    def run_started(self, run: RunFacts, plan: Plan, resumed: bool) -> None:
        steps = [{"name": step.name, "group": step.group, "what": verb_text(step), "inserted": step.inserted} for step in plan.steps]
        self.tell(
            "run_started", schema=VERSION, run=run.id, pipeline=run.pipeline, directory=run.directory, resumed=resumed, steps=steps,
            warnings=plan.warnings,
        )  # fmt: skip
        for decision in plan.decisions:
            self.decision(decision)

    def environment_started(self, name: str) -> None:
        self.tell("environment_started", name=name)

    def environment_ready(self, name: str, key: str, disk: int, seconds: float) -> None:
        self.tell("environment_ready", name=name, key=key, size=disk, seconds=round(seconds, 3))

    def step_started(self, step: PlannedStep, attempt: int) -> None:
        self.tell("step_started", step=step.name, attempt=attempt)

    def progress(self, step: str, what: str, done: float, total: float | None, unit: str) -> None:
        self.tell("progress", step=step, what=what, done=done, total=total, unit=unit)

    def log(self, step: str, level: str, message: str) -> None:
        self.tell("log", step=step, level=level, message=message)

    def metric(self, step: str, name: str, value: float, at: int) -> None:
        self.tell("metric", step=step, name=name, value=value, at=at)

    def decision(self, decision: Decision) -> None:
        self.tell("decision", step=decision.step, what=decision.what, reason=decision.reason)

    def step_finished(self, step: PlannedStep, outcome: StepOutcome) -> None:
        self.tell("step_finished", **_step(outcome))

    def gate_checked(self, gate: GateOutcome) -> None:
        self.tell("gate", group=gate.group, passed=gate.passed, text=gate.text)

    def service_ready(self, step: PlannedStep, facts: Mapping[str, Any], foreground: bool) -> None:
        self.tell("service_ready", step=step.name, foreground=foreground, facts=facts)

    def service_stopped(self, step: PlannedStep) -> None:
        self.tell("service_stopped", step=step.name)

    def run_finished(self, outcome: RunOutcome) -> None:
        data = outcome.directory / "report.json"
        self.tell(
            "run_finished", run=outcome.run, state=outcome.state, directory=outcome.directory, report=outcome.report,
            report_json=data if data.is_file() else None, endpoints=outcome.endpoints,
            steps=[_step(step) for step in outcome.steps.values()], error=outcome.error.to_json() if outcome.error else None,
        )  # fmt: skip


def _step(outcome: StepOutcome) -> dict[str, Any]:
    artifact = outcome.artifact
    return {
        "step": outcome.name, "state": outcome.state, "cached": outcome.cached, "seconds": round(outcome.seconds, 3),
        "artifact": {"digest": artifact.digest, "format": artifact.format, "path": artifact.path} if artifact else None,
        "size": outcome.size, "metrics": outcome.metrics, "attempts": outcome.attempts,
        "error": outcome.error.to_json() if outcome.error else None,
    }  # fmt: skip


def plain(value: Any) -> Any:
    """A value that JSON can hold; what is no number becomes null."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
