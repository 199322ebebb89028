"""One attempt at a step as a run of Weights & Biases'."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

import wandb

from tunesmith.contracts import MetricPoint, StepFacts
from tunesmith_wandb.login import mode

PATIENCE = 20.0  # seconds for a server to answer
AXIS = "step"


class Tracked:
    """A new run, or the one of the same step and attempt that a run which was stopped has begun.

    Raises:
        wandb.Error: the server can't be told.
    """

    def __init__(self, step: StepFacts) -> None:
        quiet = wandb.Settings(silent=True, console="off", init_timeout=PATIENCE, login_timeout=PATIENCE, disable_git=True, save_code=False)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or _plain(step.run.pipeline), group=step.run.id, name=step.name, job_type=step.verb,
            id=_plain(f"{step.run.id}-{step.name}-{step.attempt}"), resume="allow", dir=os.environ.get("WANDB_DIR") or step.run.directory,
            config=step.parameters(), mode=mode(), reinit="create_new", settings=quiet,
        )  # fmt: skip
        self._run.define_metric("*", step_metric=AXIS)  # its own count of steps never goes back, and takes no point told later

    def add(self, points: Sequence[MetricPoint]) -> None:
        """Points of one place are told together."""
        rows: dict[int, dict[str, float]] = {}
        for point in points:
            rows.setdefault(point.at, {})[point.name] = point.value
        for at, values in rows.items():
            self._run.log({**values, AXIS: at})

    def add_final(self, metrics: Mapping[str, float]) -> None:
        """What the step says of itself at its end."""
        self._run.summary.update({f"final/{name}": value for name, value in metrics.items()})

    def end(self, well: bool) -> None:
        self._run.finish(exit_code=0 if well else 1)


def _plain(name: str) -> str:
    """The name with the letters alone that identifiers may have."""
    return re.sub(r"[^\w.-]", "-", name)
