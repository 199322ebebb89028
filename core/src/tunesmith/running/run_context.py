"""What the parts of a running pipeline share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.digests import FileDigests
from tunesmith.contracts.events import RunFacts, StepFacts
from tunesmith.contracts.kinds.environment_builder import EnvironmentDirectory
from tunesmith.contracts.worker_process import Starter
from tunesmith.planning.placement.admission import Admission
from tunesmith.planning.plan import Decision, Plan, PlannedStep
from tunesmith.running.cancellation import Cancellation
from tunesmith.running.event_hooks import EventHooks
from tunesmith.running.journal.journal import Journal
from tunesmith.running.outcome import GateOutcome, StepOutcome
from tunesmith.running.reporter import Reporter
from tunesmith.running.store.store import Store
from tunesmith.running.worker.selector import SocketSelector


@dataclass
class RunContext:
    """One run's state. `artifacts` and `outcomes` fill as steps finish; `plan` gets the keys of environments once they are resolved."""

    plan: Plan
    run: RunFacts
    home: Path
    journal: Journal
    store: Store
    starter: Starter
    reporter: Reporter
    digests: FileDigests
    events: EventHooks
    cancellation: Cancellation
    verify: float  # bytes of what a step opens that are hashed before
    hang_timeout: float  # seconds in which ranks that do nothing are taken for hanging
    admission: Admission  # of the machine, for steps that run beside each other
    provide: Callable[[], EnvironmentDirectory]  # where isolated environments are, asked for if a step needs one
    check_model: Callable[[str, str], None]  # raises for a model's address and digest that the configuration does not allow
    roots: tuple[Path, ...] = ()  # folders that data and models may lead to, besides their own
    sockets: SocketSelector = field(default_factory=SocketSelector)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    gates: list[GateOutcome] = field(default_factory=list)
    endpoints: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def environments(self) -> EnvironmentDirectory:
        return self.provide()

    def log(self, step: str, level: str, message: str) -> None:
        self.journal.event(self.run.id, step, level, message)
        self.reporter.log(step, level, message)

    def decide(self, step: str, what: str, reason: str) -> None:
        self.journal.decide(self.run.id, step, what, reason)
        self.reporter.decision(Decision(step, what, reason))

    def logs(self, step: PlannedStep) -> Path:
        """Directory of what the step's processes print."""
        names = [planned.name for planned in self.plan.steps]
        safe = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in step.name)
        return self.run.directory / "logs" / f"{names.index(step.name):02d}-{safe}"

    def facts(self, step: PlannedStep, attempt: int = 1, metrics: Mapping[str, float] | None = None, seconds: float = 0.0) -> StepFacts:
        """The step as event hooks are told of it."""
        providers = {slot: {**choice.record.identity, "settings": dict(choice.settings)} for slot, choice in step.choices.items()}
        here = {name: self.artifacts[source.step].digest for name, source in step.inputs.items() if source.step in self.artifacts}
        return StepFacts(self.run, step.name, step.verb.name, attempt, dict(step.settings), providers, dict(metrics or {}), seconds, here)
