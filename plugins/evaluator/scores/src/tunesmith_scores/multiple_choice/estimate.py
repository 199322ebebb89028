"""What a plan can tell of questions with choices: the model's memory, and what so many questions can show."""

from __future__ import annotations

import dataclasses

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_scores.estimate import estimate as memory
from tunesmith_statistics import resolution


def estimate(request: EstimateRequest) -> Estimate | None:
    """None where the model's sizes are unknown."""
    found = memory(request)
    rows = int(request.data.get("rows", 0)) - int(request.settings["num_fewshot"])
    return dataclasses.replace(found, decisions=resolution(rows)) if found else None
