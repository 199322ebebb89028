"""What was predicted of the steps of a run before they started, in its directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunesmith.contracts.cache_files import read_note

FILE = "predictions.json"
PLAN, MEASURED = "plan", "measured speed"  #: what seconds follow from
CONTEXT = "runtime"  #: the term of an estimate that an accelerator's allocator does not count


@dataclass(frozen=True)
class StepPrediction:
    """
    Args:
        memory, disk: bytes; 0 where nobody knows. `context`: the part of `memory` that is not the allocator's.
        seconds: of a unit of the step's work, such as an optimizer step; 0 where nobody knows. `basis`: what they follow from.
        device: name of the first one; `backend`: of its backend.
        time: when it was predicted, in seconds since the epoch.
        quality: the validation loss of the trained model, by `quality_runs` earlier runs on like rows; 0 where too few are known.
    """

    memory: float = 0.0
    context: float = 0.0
    disk: float = 0.0
    seconds: float = 0.0
    basis: str = ""
    device: str = ""
    backend: str = ""
    time: float = 0.0
    quality: float = 0.0
    quality_runs: int = 0


def read_predictions(directory: Path) -> dict[str, StepPrediction]:
    """By step, as they were written when the steps began; empty for a run of which nothing was predicted."""
    found = read_note(directory / FILE)
    try:
        return {name: StepPrediction(**told) for name, told in found.items()}
    except (AttributeError, TypeError):
        return {}
