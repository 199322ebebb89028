"""Bytes that `galore` and `apollo` keep for each parameter that trains. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape

NUMBER = 4.0  # of float32


def galore(request: EstimateRequest) -> Mapping[str, float]:
    """Two means of rank x longer side, and directions of rank x shorter side."""
    return _state(request, directions=1)


def apollo(request: EstimateRequest) -> Mapping[str, float]:
    """The means; directions are drawn anew from a seed in each step."""
    return _state(request, directions=0)


def _state(request: EstimateRequest, directions: int) -> Mapping[str, float]:
    shape, rank = ModelShape.of(request), int(request.settings["rank"])
    if shape is None or request.parts.get("adapter", {}).get("trainable", shape.parameters) < shape.parameters:
        return {"state": 2 * NUMBER}
    kept = 2 * (shape.embedding + shape.others)
    for linear in shape.linears:
        short, long = sorted((linear.inputs, linear.outputs))
        kept += linear.count * (rank * (2 * long + directions * short) if short > rank else 2 * short * long)
    return {"state": NUMBER * kept / shape.parameters}
