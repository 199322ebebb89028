"""How much `dora` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_peft.estimate import of_method


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters}``; empty where the sizes are unknown."""
    settings = request.settings
    return of_method("lora", {"r": settings["r"], "use_dora": True, "target_modules": settings["targets"]}, request.shape)
