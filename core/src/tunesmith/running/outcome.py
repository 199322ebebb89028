"""What came of a run and of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.errors import TunesmithError

GATE = "TS-RUN-020"  #: the code of a gate that did not hold
HOME_GONE = "TS-STORE-007"  #: the code of a home that was deleted while it was in use
REPORT = "report.html"  # in a run's directory
CANCELLED_STATUS = 130  # as a shell says of a program ended by Ctrl-C


def report_of(directory: Path) -> Path | None:
    """The page about a run for people, where a plugin has written one into its directory (hook `run_finished`)."""
    path = directory / REPORT
    return path if path.is_file() else None


def can_go_on(state: str, error: TunesmithError | None) -> bool:
    """Whether resuming a run may help. Where a gate did not hold or the user made a mistake, the same plan would come to the same; of a
    home that was deleted nothing is left to go on from."""
    if state == "failed":
        return error is None or not (error.user or error.code in (GATE, HOME_GONE))
    return state in ("cancelled", "interrupted")


@dataclass(frozen=True)
class StepOutcome:
    """One step's end.

    Args:
        state: done, failed, cancelled, or skipped (something it needs is not there, or it was not asked for).
        cached: nothing was run; `seconds` is then how long it took when it was.
        size: bytes of the artifact's files.
    """

    name: str
    state: str
    cached: bool = False
    seconds: float = 0.0
    artifact: Artifact | None = None
    size: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: TunesmithError | None = None
    attempts: int = 0


@dataclass(frozen=True)
class GateOutcome:
    """A gate and whether it held; `text` gives the numbers."""

    group: str
    text: str
    passed: bool


@dataclass(frozen=True)
class RunOutcome:
    """A run's end.

    Args:
        state: done, failed or cancelled.
        steps: by name, in the plan's order, those that were reached.
        endpoints: step name -> ``{"url", "model"}`` of services that were up.
    """

    run: str
    state: str
    directory: Path
    steps: Mapping[str, StepOutcome] = field(default_factory=dict)
    gates: tuple[GateOutcome, ...] = ()
    endpoints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: TunesmithError | None = None

    @property
    def report(self) -> Path | None:
        """The page about it for people, where a plugin has written one."""
        return report_of(self.directory)

    @property
    def exit_status(self) -> int:
        if self.state == "cancelled":
            return CANCELLED_STATUS
        return self.error.exit_status if self.error else 0

    @property
    def artifacts(self) -> dict[str, Artifact]:
        return {name: step.artifact for name, step in self.steps.items() if step.artifact is not None}

    @property
    def metrics(self) -> dict[str, Mapping[str, float]]:
        return {name: step.metrics for name, step in self.steps.items() if step.metrics}
