"""How much `ia3` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_peft.api import of_method


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "modules_only": 1}``; empty where the sizes are unknown."""
    settings = request.settings
    return of_method(
        "ia3",
        {"target_modules": settings["target_modules"], "feedforward_modules": settings["feedforward_modules"]},
        ModelShape.of(request),
    )
