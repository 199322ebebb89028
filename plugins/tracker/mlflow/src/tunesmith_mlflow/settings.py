"""What stands below `mlflow` under `track` in a pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

CREATED = {"call": "mlflow:MlflowClient.create_run"}


@dataclass(frozen=True)
class MLflowSettings:
    """Names as MLflow has them (`set_tracking_uri`, `set_experiment`, `start_run`)."""

    tracking_uri: str | None = setting(
        None, "server, database or folder of MLflow; none: MLFLOW_TRACKING_URI, else mlflow.db in the folder where the run was started",
        examples=("sqlite:///other.db",), effect={"call": "mlflow:MlflowClient.__init__"},
    )  # fmt: skip
    experiment_name: str | None = setting(
        None, "the experiment; none: MLFLOW_EXPERIMENT_NAME, else one named as the pipeline", aliases=("experiment",),
        effect={"call": "mlflow:MlflowClient.create_experiment"},
    )  # fmt: skip
    run_name: str | None = setting(None, "what the names of its runs begin with, before the step's; none: the step's alone", effect=CREATED)
    tags: dict[str, str] = setting({}, "tags of its runs, beside those that find them again", effect=CREATED)
    description: str = setting("", "what MLflow's page says of its runs", effect=CREATED)
