"""How much `full` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "copies": whole models kept beside it for a reference, "modules_only": 1}``; empty where the sizes are
    unknown."""
    shape = ModelShape.of(request)
    return {} if shape is None else {"trainable": float(shape.parameters), "copies": 1.0, "modules_only": 1.0}
