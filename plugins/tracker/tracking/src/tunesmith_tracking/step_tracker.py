"""What trackers share that keep a record for each attempt at a step: when it is opened and closed, and that one failure is enough."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from tunesmith.contracts import Artifact, MetricPoint, RunFacts, StepFacts, TunesmithError
from tunesmith_tracking.completions import Completion, read_completions

if TYPE_CHECKING:
    from tunesmith import RunView

End = Literal["finished", "failed", "killed"]


class StepRecord(Protocol):
    """What a library keeps of one attempt at a step, open."""

    def add(self, points: Sequence[MetricPoint]) -> None:
        """Points that the step has measured."""

    def add_final(self, metrics: Mapping[str, float]) -> None:
        """What the step says of itself at its end."""

    def add_completions(self, completions: Sequence[Completion]) -> None:
        """All that the model answered while the step trained it, at once."""

    def close(self, end: End) -> None:
        """Nothing more will come. ``killed``: the run ended in the middle of the step."""


class StepTracker(ABC):
    """A tracker that opens a record when a step has something to tell, and closes it at the step's end.

    After the first failure in a run it tells nothing more: a server that can't be reached is tried for some seconds, and asking it again
    and again would hold the run up.
    """

    def __init__(self) -> None:
        self._open: dict[str, StepRecord] = {}
        self._failed = False

    @abstractmethod
    def open(self, step: StepFacts, begin: int) -> StepRecord:
        """A record of an attempt at a step. The library is imported here, not before.

        Args:
            begin: the first place that will be told: what was told of it and of later ones, before the step was stopped, is told again.
        """

    def run_started(self, run: RunFacts) -> None:
        """Nothing yet: a run may measure nothing."""
        self._failed = False

    def metrics_reported(self, step: StepFacts, points: Sequence[MetricPoint]) -> None:
        self._tell(lambda: self._record(step, min(point.at for point in points)).add(points))

    def artifact_committed(self, step: StepFacts, artifact: Artifact) -> None:
        if completions := read_completions(artifact.path):
            self._tell(lambda: self._record(step, 0).add_completions(completions))

    def step_finished(self, step: StepFacts) -> None:
        if step.metrics:
            self._tell(lambda: self._record(step, 0).add_final(step.metrics))
        self._close(step.name, "finished")

    def step_failed(self, step: StepFacts, error: TunesmithError) -> None:
        self._close(step.name, "failed")

    def run_finished(self, run: RunFacts, view: RunView) -> None:
        for name in [*self._open]:
            self._close(name, "killed")

    def _record(self, step: StepFacts, begin: int) -> StepRecord:
        if step.name not in self._open:
            self._open[step.name] = self.open(step, begin)
        return self._open[step.name]

    def _close(self, name: str, end: End) -> None:
        if record := self._open.pop(name, None):
            self._tell(lambda: record.close(end))

    def _tell(self, do: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            do()
        except Exception:
            self._failed = True
            self._open.clear()
            raise
