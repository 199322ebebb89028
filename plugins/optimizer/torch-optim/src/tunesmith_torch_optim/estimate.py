"""Bytes that the optimizers keep for each parameter that trains. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape

NUMBER = 4.0  # of float32
ADAPTERS = 1.0  # of Adafactor, where an adapter's narrow matrices train: four bytes over their rank, and that is seldom below four


def adamw(request: EstimateRequest) -> Mapping[str, float]:
    return {"state": 2 * NUMBER}


def sgd(request: EstimateRequest) -> Mapping[str, float]:
    return {"state": NUMBER if request.settings["momentum"] else 0.0}


def adafactor(request: EstimateRequest) -> Mapping[str, float]:
    shape = ModelShape.of(request)
    if shape is None or not _whole(request, shape):
        return {"state": ADAPTERS}
    rows = sum(linear.count * (linear.inputs + linear.outputs) for linear in shape.linears)
    rows += (shape.vocabulary + shape.hidden) * (1 if shape.tied else 2)
    return {"state": NUMBER * (rows + _vectors(shape)) / shape.parameters}


def muon(request: EstimateRequest) -> Mapping[str, float]:
    shape = ModelShape.of(request)
    if shape is None or not _whole(request, shape):
        return {"state": NUMBER}
    return {"state": NUMBER * (1 + (shape.embedding + _vectors(shape)) / shape.parameters)}


def _vectors(shape: ModelShape) -> int:
    return shape.others


def _whole(request: EstimateRequest, shape: ModelShape) -> bool:
    """Whether the model's own parameters train, not an adapter's."""
    return request.parts.get("adapter", {}).get("trainable", shape.parameters) >= shape.parameters
