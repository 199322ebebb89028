"""Memory of serving, from the model's config alone."""

from __future__ import annotations

from tunesmith.contracts.estimates import BYTES, Estimate, EstimateRequest

LIBRARIES = 0.45 * 2**30  # resident size of Python with torch and transformers loaded
VOCABULARY_ROWS = 64  # rows of logits that are float32 at a time


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, the cache at its bound, the activations of a step, the libraries."""
    settings, shape = request.settings, request.shape
    dtype = BYTES.get(settings["dtype"], 2.0)
    if shape is None:
        return Estimate({"weights": float(request.input_bytes), "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    weights = shape.parameters * dtype
    if 0 < request.input_bytes < 0.75 * weights:  # a quantized checkpoint stays as small in memory
        weights = float(request.input_bytes)
    length = min(settings["max_model_len"] or shape.positions, shape.positions or settings["max_model_len"])
    bound = settings["kv_cache"] * 2**30
    cache = min(bound, shape.kv_bytes(settings["max_batch"] * length, dtype))
    tokens = settings["prompt_tokens"] + settings["max_batch"]
    widest = 2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size
    logits = settings["max_batch"] * shape.vocabulary * dtype + VOCABULARY_ROWS * shape.vocabulary * 4.0
    return Estimate(
        {"weights": weights, "kv cache": cache, "activations": tokens * widest * dtype + logits, "libraries": LIBRARIES},
        notes=(f"the cache is full only with {settings['max_batch']} answers of {length} tokens",) if cache < bound else (),
    )
