"""Memory of an engine that allocates keys and values once, when it starts; from the model's configuration alone."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models.dtypes import BYTES, compute_type, stored_type
from tunesmith_models.model_size import ModelShape

PLAIN = 1.5  # bytes a parameter from which on a checkpoint is not quantized


def engine_memory(
    request: EstimateRequest, *, dtype: str, length: int, sequences: int, batch: int, libraries: float, cache: float = 0.0, remainder: str
) -> Estimate:
    """Weights, keys and values, activations of a step, the libraries; in bytes.

    Args:
        dtype: as it was set; ``auto``: the checkpoint's.
        length: longest text in tokens; 0: all that the model allows.
        sequences: texts under way at the same time.
        batch: tokens computed at once.
        libraries: what is resident beside the model.
        cache: for keys and values; 0: the engine takes what is left, and counted is what its settings can use.
        remainder: the name of the setting that says how much is taken then, for the note.
    """
    shape = ModelShape.of(request)
    if shape is None:
        terms = {"weights": float(request.input_bytes), "kv cache": cache, "libraries": libraries}
        return Estimate(terms, notes=("the model's sizes are unknown",))
    size = BYTES[compute_type(dtype, stored_type(shape.config) or "bfloat16", request)[0]]
    quantized = 0 < request.input_bytes < PLAIN * shape.parameters  # it stays as small in memory as it is on disk
    weights = float(request.input_bytes) if quantized else shape.parameters * size
    length = min(length or shape.positions, shape.positions or length)
    notes = () if cache else (f"what {remainder} leaves is taken for keys and values; counted is what the settings can use",)
    widest = 2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size
    logits = sequences * shape.vocabulary * 4.0
    terms = {
        "weights": weights, "kv cache": cache or shape.kv_bytes(sequences * length, size, latent=True),
        "activations": min(batch, max(length, 1)) * widest * size + logits, "libraries": libraries,
    }  # fmt: skip
    return Estimate(terms, notes=notes)
