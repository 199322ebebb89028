"""Memory and disk of `train` and `merge` from the model's configuration alone. Standard library and contracts only.

What a layer keeps is counted in `kept`; which model it is a layer of, in `roads`. Each constant here is one of a kind of process, not of a
model: docs/estimates.md holds them against real runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, ModelShape
from tunesmith.contracts.estimates import BYTES
from tunesmith_torch.dense.spec import DenseSpec
from tunesmith_torch.kept import Pass, layer_work, library_layer, own_layer
from tunesmith_torch.precision import choose
from tunesmith_torch.roads import road

OWN_RUNTIME, RUNTIME = 250e6, 400e6  # Python and torch, the second with transformers
VOCABULARY = 2000.0  # bytes that a tokenizer takes for each of its tokens
CHUNK, FEWEST = 31 * 2**20, 128  # bytes of float32 logits at a time, and rows of them at least: as in `log_probs`
HEAP, HOLES = 1.1, 1.6  # what a CPU's heap takes for blocks that stay for the backward pass, and for those that come and go
REUSED = 0.5  # gradients are made as activations are given back; so much of the room is in pieces large enough for them
STATE = 8.0  # bytes that an optimizer keeps for each number that trains, where it does not say
CHARACTERS_PER_TOKEN = 4.0
TEMPLATE_TOKENS = 30  # what a chat template adds to a row
STORED = 2.0  # bytes of a number in the model's files, where their size is not known


def train(request: EstimateRequest) -> Estimate | None:
    """The peak of a training step; None where the model's sizes are unknown."""
    shape, settings = request.shape, request.step_settings
    if shape is None:
        return None
    adapter, objective = request.parts.get("adapter", {}), request.parts.get("objective", {})
    spec, decision = road(shape.config, adapter)
    if spec is not None:
        shape = replace(shape, tied=spec.tied)
    state = request.parts.get("optimizer", {}).get("state", STATE)
    trainable = adapter.get("trainable", float(shape.parameters))
    whole = trainable >= shape.parameters
    compute = BYTES[choose(str(settings["precision"]), request.device)[0]]
    length, tokens = _tokens(settings, request.data, objective.get("sequences", 1.0))
    of = Pass(shape, tokens, length, compute, request.device)
    kept = _activations(of, spec, trainable, adapter, bool(settings["gradient_checkpointing"]))
    terms = {
        "runtime": (OWN_RUNTIME if spec is not None else RUNTIME) + shape.vocabulary * VOCABULARY,
        "weights": _weights(request, shape, spec, compute, trainable),
        "gradients": max(0.0, trainable * 4 - kept * REUSED),
        "optimizer": trainable * state,
        "activations": kept,
        "logits": _logits(shape, tokens, compute, whole),
    }
    if whole and compute < 4:
        terms["casts"] = shape.parameters * compute  # autocast keeps a copy of each matrix within a forward pass
    saved = _stored(request, shape) if _of_base(adapter, shape, trainable) else trainable * 4
    return Estimate(
        terms, disk=saved + int(settings["keep_checkpoints"]) * trainable * (4 + state), decisions=(decision,),
        savings=_savings(settings, length * objective.get("sequences", 1.0), tokens),
    )  # fmt: skip


def merge(request: EstimateRequest) -> Estimate | None:
    """The whole base in float32, and what is written; None where its sizes are unknown."""
    if request.shape is None:
        return None
    asked = str(request.step_settings.get("dtype", "auto"))
    size = request.shape.parameters * BYTES[asked] if asked in BYTES else float(request.shape.parameters * 2)
    return Estimate({"runtime": RUNTIME, "weights": request.shape.parameters * 4.0, "result": size}, disk=size)


def _weights(request: EstimateRequest, shape: ModelShape, spec: DenseSpec | None, compute: float, trainable: float) -> float:
    """The model as it is computed with, what trains beside it, copies for a reference; the engine's decoder moves matrices that read the
    same input together, which are mapped from their files as well where their type is the files'."""
    adapter, objective = request.parts.get("adapter", {}), request.parts.get("objective", {})
    frozen = shape.parameters - _of_base(adapter, shape, trainable)
    few_bits, few_bytes = adapter.get("quantized", 0.0), adapter.get("quantized_bytes", 0.0)
    copies = adapter.get("copies", 0.0) * objective.get("reference", 0.0)
    held = (frozen - few_bits) * compute + few_bytes + trainable * 4 + copies * shape.parameters * compute
    if few_bits and request.device == "cpu" and compute == _bytes_stored(request, shape):
        held += few_bits * compute  # what is not quantized is used as it lies in the files, which stay mapped as a whole
    if spec is not None and request.device == "cpu" and compute == _bytes_stored(request, shape):
        inner = shape.intermediate * 2 + (shape.heads + 2 * shape.kv_heads) * shape.head_size
        held += shape.layers * shape.hidden * inner * compute * (not spec.joined)
    return held


def _of_base(adapter: Mapping[str, float], shape: ModelShape, trainable: float) -> float:
    """How many of the parameters that train are the base's own."""
    return min(adapter.get("of_base", trainable if trainable >= shape.parameters else 0.0), float(shape.parameters))


def _activations(
    of: Pass, spec: DenseSpec | None, trainable: float, adapter: Mapping[str, float], checkpointing: bool
) -> float:  # fmt: skip
    """What the layers keep, and what the one works with whose gradients are computed."""
    if spec is not None:
        rank = trainable / max(1, of.shape.layers * sum(a + b for _, a, b in of.shape.linears))
        each, work = own_layer(of, rank, spec.head_norms), layer_work(of)
    else:
        each, work = library_layer(of, trainable >= of.shape.parameters, adapter.get("outputs", 0.0)), layer_work(of)
    kept = each * (1 if checkpointing else of.shape.layers)
    if checkpointing:
        kept += of.shape.layers * of.shape.hidden * of.compute
    heap, holes = (HEAP, HOLES) if of.device == "cpu" else (1.0, 1.0)
    return of.tokens * (kept * heap + work * holes) + adapter.get("work", 0.0) * holes


def _tokens(settings: Mapping[str, Any], data: Mapping[str, Any], sequences: float) -> tuple[float, float]:
    """Mean tokens of a sequence, and tokens of the largest micro-batch."""
    budget, longest = float(settings["micro_tokens"]), float(settings["max_length"])
    rows, characters = float(data.get("rows", 0)), float(data.get("characters", 0))
    length = longest
    if data.get("length"):
        length = min(longest, float(data["length"]))
    elif rows and characters:
        length = min(longest, characters / rows / sequences / CHARACTERS_PER_TOKEN + TEMPLATE_TOKENS)
    groups = min(float(settings["batch_size"]), rows or float(settings["batch_size"]))
    fitting = max(1.0, budget // (length * sequences))  # whole rows
    return length, min(fitting, groups) * length * sequences


def _logits(shape: ModelShape, tokens: float, compute: float, whole: bool) -> float:
    """A chunk of logits in float32, the same as computed, and its gradient; and the gradient of a head that trains, in both types."""
    chunk = min(max(CHUNK, FEWEST * shape.vocabulary * 4.0), tokens * shape.vocabulary * 4.0)
    if not whole:
        return chunk * (2 + (compute / 4 if compute < 4 else 0))
    return chunk * (3 + compute / 4) + shape.vocabulary * shape.hidden * (4 + compute if compute < 4 else 4)


def _savings(settings: Mapping[str, Any], row: float, tokens: float) -> tuple[Mapping[str, Any], ...]:
    """A smaller micro-batch, which costs least, down to a row; then gradient checkpointing."""
    found: list[Mapping[str, Any]] = []
    if tokens > row:
        found.append({"micro_tokens": int(row)})
    if not settings["gradient_checkpointing"]:
        found.append({"gradient_checkpointing": True})
    return tuple(found)


def _bytes_stored(request: EstimateRequest, shape: ModelShape) -> float:
    """Of a number in the model's files."""
    if not request.input_bytes:
        return BYTES.get(str(shape.config.get("dtype") or shape.config.get("torch_dtype")), STORED)
    return 4.0 if request.input_bytes > 3 * shape.parameters else 2.0


def _stored(request: EstimateRequest, shape: ModelShape) -> float:
    return float(request.input_bytes or shape.parameters * STORED)
