"""One attempt at a step as a run of MLflow's."""

from __future__ import annotations

import atexit
import math
import os
import re
import time
from collections.abc import Mapping, Sequence

os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # it tells of each table that it makes, over the terminal's progress
# Seconds and times that a server is tried: MLflow's own (120, 7) would hold a run up for minutes. Read when a request is made.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from mlflow.utils.validation import (
    MAX_METRICS_PER_BATCH,
    MAX_PARAM_VAL_LENGTH,
    MAX_PARAMS_TAGS_PER_BATCH,
)

from tunesmith.contracts import MetricPoint, StepFacts
from tunesmith_mlflow.settings import MLflowSettings
from tunesmith_tracking.completions import Completion, markdown_table
from tunesmith_tracking.step_tracker import End

COMPLETIONS = "completions.md"


class MLflowRun:
    """A new run of MLflow's, or the one of the same step and attempt that a run which was stopped has begun.

    Raises:
        MlflowException: MLflow can't be told.
    """

    def __init__(self, step: StepFacts, settings: MLflowSettings) -> None:
        self._client = MlflowClient(tracking_uri=settings.tracking_uri)
        experiment = self._experiment(settings.experiment_name or os.environ.get("MLFLOW_EXPERIMENT_NAME") or step.run.pipeline)
        self._told: dict[str, int] = {}  # series -> the last place that MLflow knows
        found = self._client.search_runs([experiment], _filter(step), max_results=1)
        if found:
            self._id = found[0].info.run_id
            self._client.update_run(self._id, "RUNNING")
            self._told = {name: self._client.get_metric_history(self._id, name)[-1].step for name in found[0].data.metrics}
        else:
            name = f"{settings.run_name}/{step.name}" if settings.run_name else step.name
            about = {MLFLOW_RUN_NOTE: settings.description} if settings.description else {}
            tags = {**settings.tags, **about, **_tags(step)}
            self._id = self._client.create_run(experiment, run_name=name, tags=tags).info.run_id
            params = [Param(_name(name), str(value)[:MAX_PARAM_VAL_LENGTH]) for name, value in step.parameters().items()]
            for start in range(0, len(params), MAX_PARAMS_TAGS_PER_BATCH):
                self._client.log_batch(self._id, params=params[start : start + MAX_PARAMS_TAGS_PER_BATCH])
        atexit.register(self.close, "killed")

    def add(self, points: Sequence[MetricPoint]) -> None:
        """Points that MLflow knows are left out: it would keep both, and a step that is resumed measures the same again."""
        now = int(time.time() * 1000)
        named = [(_name(point.name), point) for point in points]
        new = [Metric(name, p.value, now, p.at) for name, p in named if p.at > self._told.get(name, -math.inf)]
        for start in range(0, len(new), MAX_METRICS_PER_BATCH):
            self._client.log_batch(self._id, metrics=new[start : start + MAX_METRICS_PER_BATCH])
        self._told |= {metric.key: metric.step for metric in new}

    def add_final(self, metrics: Mapping[str, float]) -> None:
        """What the step says of itself at its end, at the last place that it measured."""
        last = max(self._told.values(), default=0)
        self.add([MetricPoint(f"final/{name}", value, last) for name, value in metrics.items()])

    def add_completions(self, completions: Sequence[Completion]) -> None:
        """As a file of the run, which MLflow's page shows."""
        self._client.log_text(self._id, markdown_table(completions), COMPLETIONS)

    def close(self, end: End) -> None:
        atexit.unregister(self.close)
        self._client.set_terminated(self._id, end.upper())

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found else self._client.create_experiment(name)


def _name(name: str) -> str:
    """The name with MLflow's letters alone."""
    return re.sub(r"[^\w./ -]", "-", name)


def _tags(step: StepFacts) -> dict[str, str]:
    return {
        "tunesmith.run": step.run.id, "tunesmith.step": step.name, "tunesmith.verb": step.verb, "tunesmith.attempt": str(step.attempt),
    }  # fmt: skip


def _filter(step: StepFacts) -> str:
    return " and ".join(f"tags.`{name}` = '{value}'" for name, value in _tags(step).items())
