"""What this plugin brings: the tracker `mlflow`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_mlflow.settings import MLflowSettings


@hookimpl
def tracker() -> Provider:
    return Provider("mlflow", "runs of MLflow for what steps measure", "tunesmith_mlflow.tracker:MLflow", settings=MLflowSettings)
