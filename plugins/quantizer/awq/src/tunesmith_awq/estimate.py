"""Memory and disk of quantizing, from the model's sizes alone."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import BYTES, ModelShape, check_media, compute_type, stored_type
from tunesmith_models.group_size import fitting_group_size

LIBRARIES = 0.46 * 2**30  # resident size of Python with torch, transformers and LLM Compressor
HALF, SINGLE = 2.0, 4.0


def estimate(request: EstimateRequest) -> Estimate:
    """The model, what a layer reads and computes on all sequences (kept for the search of its scales), the libraries.

    Raises:
        UserError: TS-QUANT-001 when the group size does not divide the model's matrices; TS-DATA-032 for rows that it does not take.
    """
    settings, shape, unsure = request.settings, ModelShape.of(request), check_media(request)
    group_size = fitting_group_size(shape, settings["group_size"])
    if shape is None:
        return Estimate({"model": float(request.input_bytes), "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    tokens = (
        min(settings["num_calibration_samples"], request.data.get("rows") or settings["num_calibration_samples"])
        * settings["max_seq_length"]
    )
    widest = max(linear.inputs for linear in shape.linears)
    disk = size(shape, settings["bits"], group_size, settings["sym"])
    each = BYTES[compute_type("auto", stored_type(shape.config) or "bfloat16", request)[0]]
    terms = {
        "model": shape.parameters * each,
        "calibration": tokens * (2 * shape.hidden + widest) * each,
        "one layer's copies": 3 * shape.matrices / shape.layers * SINGLE,
        "batch": settings["batch_size"] * settings["max_seq_length"] * 4 * widest * SINGLE,
        "quantized model": disk,
        "libraries": LIBRARIES,
    }
    return Estimate(terms, disk=disk, warnings=unsure)


def size(shape: ModelShape, bits: int, group_size: int, sym: bool) -> float:
    """Bytes of the quantized model: packed matrices, a scale and, unless symmetric, a zero a group; the rest in 16 bits."""
    each = HALF + (0 if sym else bits / 8)
    few = shape.matrices * (bits / 8 + each / group_size)
    return few + (shape.parameters - shape.matrices) * HALF
