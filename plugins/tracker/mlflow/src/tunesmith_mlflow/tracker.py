"""The tracker `mlflow`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.contracts import StepFacts
from tunesmith_mlflow.settings import MLflowSettings
from tunesmith_tracking.step_tracker import StepTracker

if TYPE_CHECKING:
    from tunesmith_mlflow.mlflow_run import MLflowRun


class MLflow(StepTracker):
    def __init__(self, settings: MLflowSettings) -> None:
        super().__init__()
        self.settings = settings

    def open(self, step: StepFacts, begin: int) -> MLflowRun:
        from tunesmith_mlflow.mlflow_run import MLflowRun

        return MLflowRun(step, self.settings)
