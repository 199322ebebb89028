"""The tracker `wandb`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.contracts import StepFacts
from tunesmith_tracking.step_tracker import StepTracker
from tunesmith_wandb.settings import WandbSettings

if TYPE_CHECKING:
    from tunesmith_wandb.wandb_run import WandbRun


class Wandb(StepTracker):
    def __init__(self, settings: WandbSettings) -> None:
        super().__init__()
        self.settings = settings

    def open(self, step: StepFacts, begin: int) -> WandbRun:
        from tunesmith_wandb.wandb_run import WandbRun

        return WandbRun(step, self.settings)
