"""Memory and disk of `train` and `merge` from the model's sizes alone. Standard library and contracts only.

What a decoder layer keeps for the backward pass is counted tensor by tensor, as the engine runs it: packed, with the packed attention,
nothing kept of frozen matrices' inputs unless an adapter reads them. H is the hidden size, I the intermediate size, Q and K the widths of
queries and keys, c the bytes per number computed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, ModelShape
from tunesmith.contracts.estimates import BYTES
from tunesmith_torch.precision import choose

RUNTIME = 400e6  # Python, torch, transformers, a tokenizer
CHUNK, FEWEST = 31 * 2**20, 128  # bytes of float32 logits at a time, and rows of them at least: as in `log_probs`
HEAP = 1.45  # what a CPU's heap takes for tensors that are freed in another order than made (glibc; 1.33 to 1.58 seen)
STATE = 8.0  # bytes that an optimizer keeps for each number that trains, where it does not say
CHARACTERS_PER_TOKEN = 4.0
TEMPLATE_TOKENS = 30  # what a chat template adds to a row
KEPT, BLOCK = 512, 128  # as in `blocked`: sequences up to this keep their probabilities on a CPU in bfloat16, block by block


def train(request: EstimateRequest) -> Estimate | None:
    """The peak of a training step; None where the model's sizes are unknown."""
    shape, settings = request.shape, request.step_settings
    if shape is None:
        return None
    adapter, objective = request.parts.get("adapter", {}), request.parts.get("objective", {})
    state = request.parts.get("optimizer", {}).get("state", STATE)
    trainable = adapter.get("trainable", float(shape.parameters))
    compute = BYTES[choose(str(settings["precision"]), request.device)[0]]
    length, tokens = _tokens(settings, request.data, objective.get("sequences", 1.0))
    own = min(adapter.get("of_base", trainable if trainable >= shape.parameters else 0.0), float(shape.parameters))
    frozen = shape.parameters - own
    few_bits, few_bytes = adapter.get("quantized", 0.0), adapter.get("quantized_bytes", 0.0)
    copies = adapter.get("copies", 0.0) * objective.get("reference", 0.0)
    whole = trainable >= shape.parameters
    layers = 1 if settings["gradient_checkpointing"] else shape.layers
    kept = tokens * layers * _layer_bytes(shape, compute, length, request.device, whole)
    if settings["gradient_checkpointing"]:
        kept += tokens * shape.layers * shape.hidden * compute
    if request.device == "cpu":
        kept *= HEAP
    terms = {
        "runtime": RUNTIME,
        "weights": (frozen - few_bits) * compute + few_bytes + trainable * 4 + copies * shape.parameters * compute,
        "gradients": trainable * 4,
        "optimizer": trainable * state,
        "activations": kept,
        "logits": _logits(shape, tokens, compute),
    }
    if whole and compute < 4:
        terms["casts"] = shape.parameters * compute  # autocast keeps a copy of each matrix within a forward pass
    stored = _stored(request, shape)
    saved = stored if own else trainable * 4
    return Estimate(terms, disk=saved + int(settings["keep_checkpoints"]) * trainable * (4 + state))


def merge(request: EstimateRequest) -> Estimate | None:
    """The whole base in float32, and what is written; None where its sizes are unknown."""
    if request.shape is None:
        return None
    asked = str(request.step_settings.get("dtype", "auto"))
    size = request.shape.parameters * BYTES[asked] if asked in BYTES else float(request.shape.parameters * 2)
    return Estimate({"runtime": RUNTIME, "weights": request.shape.parameters * 4.0, "result": size}, disk=size)


def _tokens(settings: Mapping[str, Any], data: Mapping[str, Any], sequences: float) -> tuple[float, float]:
    """Mean tokens of a sequence, and tokens of the largest micro-batch."""
    budget, longest = float(settings["micro_tokens"]), float(settings["max_length"])
    rows, characters = float(data.get("rows", 0)), float(data.get("characters", 0))
    if not rows or not characters:
        return longest, max(budget, longest)
    length = min(longest, characters / rows / sequences / CHARACTERS_PER_TOKEN + TEMPLATE_TOKENS)
    return length, min(max(budget, length * sequences), float(settings["batch_size"]) * length * sequences)


def _layer_bytes(shape: ModelShape, compute: float, length: float, device: str, whole: bool) -> float:
    """Bytes that one layer keeps per token."""
    hidden, inner, c = shape.hidden, shape.intermediate, compute
    queries, keys = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    norms = 2 * (4 * hidden + c * hidden) if c < 4 or whole else 2 * (2 * c * hidden)
    attention = c * (3 * queries + 2 * keys)  # q, k, v, the result, and the result as the output projection reads it
    if c < 4 and device == "cpu" and length <= KEPT:
        attention += c * shape.heads * min(length, (length + BLOCK) / 2)
    return norms + attention + c * 4 * inner


def _logits(shape: ModelShape, tokens: float, compute: float) -> float:
    """A chunk of logits in float32, the same as computed, and its gradient."""
    chunk = min(max(CHUNK, FEWEST * shape.vocabulary * 4.0), tokens * shape.vocabulary * 4.0)
    return chunk * (2 + compute / 4)


def _stored(request: EstimateRequest, shape: ModelShape) -> float:
    return float(request.input_bytes or shape.parameters * 2)
