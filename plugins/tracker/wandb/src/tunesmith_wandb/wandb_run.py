"""One attempt at a step as a run of Weights & Biases'."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import wandb

from tunesmith.contracts import MetricPoint, StepFacts
from tunesmith_tracking.completions import Completion
from tunesmith_tracking.step_tracker import End
from tunesmith_wandb.login import mode
from tunesmith_wandb.settings import WandbSettings

PATIENCE = 20.0  # seconds for a server to answer
AXIS = "step"


class WandbRun:
    """A new run, or the one of the same step and attempt that a run which was stopped has begun.

    Raises:
        wandb.Error: the server can't be told.
    """

    def __init__(self, step: StepFacts, settings: WandbSettings) -> None:
        quiet = wandb.Settings(silent=True, console="off", init_timeout=PATIENCE, login_timeout=PATIENCE, disable_git=True, save_code=False)
        self._run = wandb.init(
            project=settings.project or os.environ.get("WANDB_PROJECT") or _plain(step.run.pipeline), entity=settings.entity,
            name=f"{settings.name}/{step.name}" if settings.name else step.name, group=settings.group or step.run.id, job_type=step.verb,
            tags=settings.tags, notes=settings.notes, id=_plain(f"{step.run.id}-{step.name}-{step.attempt}"), resume="allow",
            dir=_folder(step, settings), config=step.parameters(), mode=settings.mode or mode(), reinit="create_new", settings=quiet,
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

    def add_completions(self, completions: Sequence[Completion]) -> None:
        """As a table, at the place of the last."""
        table = wandb.Table(columns=["step", "prompt", "completion"], data=[[*answer] for answer in completions])
        self._run.log({"completions": table, AXIS: completions[-1].at})

    def close(self, end: End) -> None:
        self._run.finish(exit_code=0 if end == "finished" else 1)


def _folder(step: StepFacts, settings: WandbSettings) -> Path:
    """Where its files go: it makes a folder `wandb` there, and takes another where this one is not there yet."""
    named = os.path.expanduser(settings.dir)
    folder = step.run.base / named if named else Path(os.environ.get("WANDB_DIR") or step.run.directory)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _plain(name: str) -> str:
    """The name with the letters alone that identifiers may have."""
    return re.sub(r"[^\w.-]", "-", name)
