"""How much `prompt` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters}``; empty where the sizes are unknown."""
    return {} if request.shape is None else {"trainable": float(int(request.settings["tokens"]) * request.shape.hidden)}
