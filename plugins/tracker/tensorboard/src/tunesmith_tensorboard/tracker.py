"""The tracker `tensorboard`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.contracts import StepFacts
from tunesmith_tensorboard.settings import TensorBoardSettings
from tunesmith_tracking.step_tracker import StepTracker

if TYPE_CHECKING:
    from tunesmith_tensorboard.event_file import EventFile


class TensorBoard(StepTracker):
    def __init__(self, settings: TensorBoardSettings) -> None:
        super().__init__()
        self.settings = settings

    def open(self, step: StepFacts, begin: int) -> EventFile:
        from tunesmith_tensorboard.event_file import EventFile

        trial = f"{step.run.id}/{step.name}"
        return EventFile(self.folder(step), trial, step.parameters(), begin, self.settings.filename_suffix)

    def folder(self, step: StepFacts) -> Path:
        """Of a step's event files."""
        named = os.path.expanduser(self.settings.log_dir)
        within = step.run.base / named / step.run.id if named else step.run.directory / "tensorboard"
        return within / "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in step.name)
