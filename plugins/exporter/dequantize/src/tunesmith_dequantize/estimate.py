"""Memory and disk of a dequantization, from the model's sizes. Standard library and contracts only."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_models.dtypes import BYTES

_LIBRARIES = 380e6  # resident after importing torch and transformers
_ENTRY = 1150.0  # the gguf package keeps every token, its type and every merge as objects: this much for each
_FILE_BITS = 4.5  # per weight, where only the file's size is known: the most common quantizations


def estimate(request: EstimateRequest) -> Estimate:
    """The peak is at the end of loading: the file is mapped, its vocabulary is parsed, all weights are unpacked."""
    shape = ModelShape.of(request)
    parameters = shape.parameters if shape else request.input_bytes * 8 / _FILE_BITS
    weights = parameters * BYTES[request.settings.get("dtype", "bfloat16")]
    terms = {
        "libraries": _LIBRARIES,
        "vocabulary": 3 * _ENTRY * (shape.vocabulary if shape else 50_000),
        "file": float(request.input_bytes),
        "weights": weights,
    }
    notes = () if shape else ("The model's sizes are unknown; guessed from the size of its file.",)
    return Estimate(terms, disk=weights, notes=notes)
