"""How much `vera` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_peft.api import of_method


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "modules_only": 1}``; empty where the sizes are unknown."""
    return of_method("vera", {"r": request.settings["r"], "target_modules": request.settings["target_modules"]}, ModelShape.of(request))
