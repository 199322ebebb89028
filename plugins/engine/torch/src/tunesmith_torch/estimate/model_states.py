"""What a training step holds all the time: the model, what trains beside it, copies. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import EstimateRequest
from tunesmith_models import BYTES, ModelShape, stored_type
from tunesmith_torch.model.dense.config import DenseSpec
from tunesmith_torch.model.model_impl import model_impl

REFERENCE, TEACHER, REWARD_MODEL = "reference", "teacher", "reward_model"  # inputs of the step
SCORING = 400e6  # of the process that scores: Python, torch and transformers
STORED = 2.0  # bytes of a number in the model's files, where their size is not known


def weights(request: EstimateRequest, shape: ModelShape, spec: DenseSpec | None, compute: float, trainable: float) -> float:
    """The model as it is computed with, what trains beside it, copies for a reference; the engine's decoder moves matrices that read the
    same input together, which are mapped from their files as well where their type is the files'."""
    adapter, objective = request.parts.get("adapter", {}), request.parts.get("objective", {})
    frozen = shape.parameters - of_base(adapter, shape, trainable)
    few_bits, few_bytes = adapter.get("quantized", 0.0), adapter.get("quantized_bytes", 0.0)
    copies = adapter.get("copies", 0.0) * objective.get("reference", 0.0) * (REFERENCE not in request.models)
    held = (frozen - few_bits) * compute + few_bytes + trainable * 4 + copies * shape.parameters * compute
    if few_bits and request.device == "cpu" and compute == _bytes_stored(request, shape):
        held += few_bits * compute  # what is not quantized is used as it lies in the files, which stay mapped as a whole
    if spec is not None and not few_bits and request.device == "cpu" and compute == _bytes_stored(request, shape):
        held += _joined(shape, spec, compute)
    return held


def weights_beside(request: EstimateRequest, compute: float, *, divides: bool) -> dict[str, float]:
    """Those of each model that is an input of the step and read by the objective, and does not train: as it is computed with."""
    found, objective = {}, request.parts.get("objective", {})
    for name in (REFERENCE, TEACHER):
        given = request.models.get(name)
        shape = ModelShape.from_config(given["config"], given["bytes"]) if given and objective.get(name) else None
        if given is None or shape is None:
            continue
        spec, _ = model_impl(shape.config, {"modules_only": 1.0}, str(given["format"]), divided=divides, own=False)
        same = request.device == "cpu" and compute == _bytes_of(given["config"], given["bytes"], shape)
        found[name] = shape.parameters * compute + (_joined(shape, spec, compute) if spec is not None and same else 0.0)
    return found | _scoring(request)


def _scoring(request: EstimateRequest) -> dict[str, float]:
    """The reward model, in float32 in a process of its own on the processor; nothing of an accelerator's memory."""
    given, read = request.models.get(REWARD_MODEL), request.parts.get("objective", {}).get(REWARD_MODEL)
    shape = ModelShape.from_config(given["config"], given["bytes"]) if given and read and request.device == "cpu" else None
    return {} if shape is None else {REWARD_MODEL: shape.parameters * 4 + SCORING}


def _joined(shape: ModelShape, spec: DenseSpec, compute: float) -> float:
    """Matrices that the engine's decoder moves together, which are mapped from their files as well."""
    inner = shape.intermediate * 2 + (shape.heads + 2 * shape.kv_heads) * shape.head_size
    return shape.layers * shape.hidden * inner * compute * (not spec.joined)


def divided(
    terms: Mapping[str, float], strategy: Mapping[str, float], shape: ModelShape, trainable: float, compute: float
) -> dict[str, float]:  # fmt: skip
    """What one rank holds of `terms`, by the shares that the strategy's estimator gives. Layers that are whole at a time come on top, with
    what lies outside of layers, and a copy of what trains, where it keeps one."""
    shares = {
        "weights": "parameters", REFERENCE: "parameters", TEACHER: "parameters", "gradients": "gradients", "optimizer": "optimizer",
        "activations": "activations", "casts": "computes",
    }  # fmt: skip
    held = {name: value * strategy.get(shares.get(name, ""), 1.0) for name, value in terms.items()}
    whole = min(strategy.get("gathered", 0.0), float(shape.layers)) / max(shape.layers, 1)
    if whole:
        cast = strategy.get("cast", 0.0)
        layers = shape.parameters * cast if cast else terms["weights"]
        outside = shape.embedding * (cast or (4.0 if trainable >= shape.parameters else compute))
        held["gathered layers"] = layers * whole + outside * (1 - whole)
    return held | ({"master copy": trainable * 4 * strategy["master"]} if strategy.get("master") else {})


def loading(request: EstimateRequest, shape: ModelShape, terms: Mapping[str, float], kept: float) -> Mapping[str, float]:
    """Before the first step: files in another type than what is made of them, all `kept` bytes a number, are mapped until all is made."""
    stored = _bytes_stored(request, shape)
    few_bits = request.parts.get("adapter", {}).get("quantized", 0.0)
    files = shape.parameters * stored if request.device == "cpu" and stored != kept and not few_bits else 0.0
    return {"runtime": terms["runtime"], "weights": terms["weights"], "files while loading": files}


def of_base(adapter: Mapping[str, float], shape: ModelShape, trainable: float) -> float:
    """How many of the parameters that train are the base's own."""
    return min(adapter.get("of_base", trainable if trainable >= shape.parameters else 0.0), float(shape.parameters))


def stored(request: EstimateRequest, shape: ModelShape) -> float:
    """Bytes of the model's files."""
    return float(request.input_bytes or shape.parameters * STORED)


def _bytes_stored(request: EstimateRequest, shape: ModelShape) -> float:
    """Of a number in the model's files."""
    return _bytes_of(shape.config, request.input_bytes, shape)


def _bytes_of(config: Mapping[str, Any], size: float, shape: ModelShape) -> float:
    if not size:
        return BYTES.get(stored_type(config), STORED)
    return 4.0 if size > 3 * shape.parameters else 2.0
