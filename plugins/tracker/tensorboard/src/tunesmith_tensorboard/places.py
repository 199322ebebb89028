"""Where event files go."""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith.contracts import StepFacts

VARIABLE = "TUNESMITH_TENSORBOARD"


def place(step: StepFacts) -> Path | None:
    """The folder of a step's event files, None if they are not wanted."""
    said = os.environ.get(VARIABLE, "")
    if said == "off":
        return None
    within = Path(said) / step.run.id if said else step.run.directory / "tensorboard"
    return within / "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in step.name)
