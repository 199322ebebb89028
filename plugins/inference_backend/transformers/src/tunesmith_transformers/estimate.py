"""Memory of serving, from the model's config alone."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith.contracts.artifacts import role_of
from tunesmith_models import BYTES, ModelShape, compute_type, stored_type

LIBRARIES = 0.5 * 2**30  # Python with torch and transformers loaded, and what allocators of several threads keep
VOCABULARY_ROWS = 64  # rows of logits that are float32 at a time


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, the cache at its bound, the activations of a step, the libraries."""
    settings, shape = request.settings, ModelShape.of(request)
    if shape is None:
        return Estimate({"weights": float(request.input_bytes), "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    kind = stored_type(shape.config)
    stored = request.input_bytes / shape.parameters if request.input_bytes else BYTES.get(kind, 2.0)  # bytes per parameter
    type_ = compute_type(settings["dtype"], kind or ("float32" if stored > 3 else "bfloat16"), request)[0]
    dtype = BYTES[type_]
    # a quantized checkpoint stays as small in memory as it is on disk
    weights = request.input_bytes if stored < 1.5 else shape.parameters * dtype
    if role_of(request.format):
        widest = 3 * shape.intermediate + 6 * shape.hidden + 4 * shape.heads * shape.head_size
        tokens = max(settings["chunked_prefill_size"], min(settings["max_model_len"] or shape.positions, shape.positions))
        return Estimate({"weights": float(weights), "activations": tokens * widest * dtype, "libraries": LIBRARIES})
    notes = ["where memory is plenty, 4-bit weights are dequantized once and take more"] if stored < 1 and request.device == "cpu" else []
    length = min(settings["max_model_len"] or shape.positions, shape.positions or settings["max_model_len"])
    bound = settings["kv_cache_gib"] * 2**30
    cache = min(bound, shape.kv_bytes(settings["max_num_seqs"] * length, dtype))
    tokens = settings["chunked_prefill_size"] + settings["max_num_seqs"]
    widest = 2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size
    if cache < bound:
        notes.append(f"the cache is full only with {settings['max_num_seqs']} answers of {length} tokens")
    logits = settings["max_num_seqs"] * shape.vocabulary * dtype + VOCABULARY_ROWS * shape.vocabulary * 4.0
    terms = {"weights": float(weights), "kv cache": cache, "activations": tokens * widest * dtype + logits, "libraries": LIBRARIES}
    if request.device == "cpu" and type_ == "bfloat16" and stored >= 1.5:
        # laid out for oneDNN beside the files, which stay mapped
        terms["laid out"] = (shape.parameters - shape.vocabulary * shape.hidden * (1 if shape.tied else 2)) * dtype
    return Estimate(terms, notes=tuple(notes))
