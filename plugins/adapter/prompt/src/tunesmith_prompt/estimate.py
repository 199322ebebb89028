"""How much `prompt` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters}``; empty where the sizes are unknown."""
    shape = ModelShape.of(request)
    return {} if shape is None else {"trainable": float(int(request.settings["num_virtual_tokens"]) * shape.hidden)}
