"""Memory of serving, from the model's config and the file's size alone."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import ModelShape

LIBRARIES = 60 * 2**20  # Python and the library
CACHE_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32}  # a value; q8_0 has a scale for each 32


def estimate(request: EstimateRequest) -> Estimate:
    """The file, mapped as it is; keys and values of all slots, allocated at the start; activations of a step; the library."""
    settings, shape = request.settings, ModelShape.of(request)
    terms = {"weights": float(request.input_bytes), "libraries": float(LIBRARIES)}
    if shape is None:
        return Estimate(terms, notes=("the model's sizes are unknown: the cache is not counted",))
    terms["kv cache"] = shape.kv_bytes(settings["ctx_size"] * settings["parallel"], CACHE_BYTES[settings["cache_type"]])
    widest = 2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size
    terms["activations"] = (settings["ubatch_size"] * widest + settings["parallel"] * shape.vocabulary) * 4.0  # logits of last tokens only
    return Estimate(terms)
