"""Contract of kind ``tracker``: is told what the steps of a run measure, while it runs.

One is made for each run of a pipeline that names it under ``track``, with its settings, in the host's process: so its module imports
nothing heavy before something is measured. Its methods are called one at a time, and each gets a minute; what one raises is said once in
the run's log. No tracker stops a run, and one that took longer than its minute is not called again. `tunesmith_tracking.step_tracker` has
what trackers share that keep a record for each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tunesmith.contracts import Artifact, MetricPoint, RunFacts, StepFacts, TunesmithError

if TYPE_CHECKING:
    from tunesmith import RunView


class Tracker(Protocol):
    """Is told of one run."""

    def run_started(self, run: RunFacts) -> None:
        """The run begins, or goes on where it was stopped. Relative paths of settings start from ``run.base``; what has no place of its own
        goes below ``run.directory``."""

    def metrics_reported(self, step: StepFacts, points: Sequence[MetricPoint]) -> None:
        """A running step has measured something. About once a second, with all points since; it should return quickly, for meanwhile
        nobody listens to the step. A step that goes on from a checkpoint tells some points again: one of the same name and place (`at`)
        replaces the older. Values may be no number or infinite. Steps from the cache tell nothing."""

    def step_finished(self, step: StepFacts) -> None:
        """A step has finished; ``step.metrics`` is what it says of itself. It may not have measured anything before."""

    def step_failed(self, step: StepFacts, error: TunesmithError) -> None:
        """An attempt at a step has failed. The step may be tried again: then ``step.attempt`` is one more."""

    def run_finished(self, run: RunFacts, view: RunView) -> None:
        """The run is over, well or not (``view.row.state``); a step that it was in the middle of is not told of any more. A run that stays
        for its services is told of twice: then, with the state ``serving``, and at its end."""


@runtime_checkable
class HearsArtifacts(Protocol):
    """A tracker that looks into what steps make."""

    def artifact_committed(self, step: StepFacts, artifact: Artifact) -> None:
        """A step has made an artifact; `step_finished` comes next. What a model answered while it trained (`sample_prompts`) is in it:
        see `tunesmith_tracking.completions`."""
