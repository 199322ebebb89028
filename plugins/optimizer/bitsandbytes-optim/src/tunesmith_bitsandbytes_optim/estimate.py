"""Bytes that the 8-bit optimizers keep for each parameter that trains. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape

BLOCK = 256  # numbers that share a scale in float32
SHORT = 4096  # below so many numbers a parameter's state stays in float32


def adamw(request: EstimateRequest) -> Mapping[str, float]:
    return _state(request, 2)


def lion(request: EstimateRequest) -> Mapping[str, float]:
    return _state(request, 1)


def _state(request: EstimateRequest, means: int) -> Mapping[str, float]:
    shape = ModelShape.of(request)
    few, many = means * (1 + 4 / BLOCK), means * 4.0
    if shape is None or request.parts.get("adapter", {}).get("trainable", shape.parameters) < shape.parameters:
        return {"state": few}
    whole = shape.others if shape.hidden < SHORT else 0
    if request.settings["embedding_bits"] == 32:
        whole += shape.embedding
    return {"state": few + (many - few) * whole / shape.parameters}
