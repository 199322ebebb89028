"""How much `bottleneck` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape


def width(hidden: int, reduction: int) -> int:
    """How wide a network is inside."""
    return max(1, hidden // reduction)


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "modules_only": 1}``; empty where the sizes are unknown."""
    shape = ModelShape.of(request)
    if shape is None:
        return {}
    hidden = shape.hidden
    inner = width(hidden, int(request.settings["reduction_factor"]))
    blocks = shape.layers * (2 if request.settings["placement"] == "houlsby" else 1)
    return {"trainable": float(blocks * (2 * hidden * inner + inner + hidden)), "modules_only": 1.0}
