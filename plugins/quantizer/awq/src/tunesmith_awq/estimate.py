"""Memory and disk of quantizing, from the model's sizes alone."""

from __future__ import annotations

from tunesmith.contracts.calibration import fitting_group_size
from tunesmith.contracts.estimates import Estimate, EstimateRequest, ModelShape

LIBRARIES = 0.46 * 2**30  # resident size of Python with torch, transformers and LLM Compressor
HALF, SINGLE = 2.0, 4.0


def estimate(request: EstimateRequest) -> Estimate:
    """The model, what a layer reads and computes on all sequences (kept for the search of its scales), the libraries.

    Raises:
        UserError: TS-QUANT-001 when the group size does not divide the model's matrices.
    """
    settings, shape = request.settings, request.shape
    group_size = fitting_group_size(shape, settings["group_size"])
    if shape is None:
        return Estimate({"model": float(request.input_bytes), "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    tokens = min(settings["rows"], request.data.get("rows") or settings["rows"]) * settings["length"]
    widest = max(into for _, into, _ in shape.linears)
    layer = sum(into * out for _, into, out in shape.linears)
    disk = size(shape, settings["bits"], group_size, settings["sym"])
    terms = {
        "model": float(request.input_bytes) or shape.parameters * HALF,
        "calibration": tokens * (2 * shape.hidden + widest) * HALF,
        "one layer's copies": 3 * layer * SINGLE,
        "batch": settings["batch_size"] * settings["length"] * 4 * widest * SINGLE,
        "quantized model": disk,
        "libraries": LIBRARIES,
    }
    return Estimate(terms, disk=disk)


def size(shape: ModelShape, bits: int, group_size: int, sym: bool) -> float:
    """Bytes of the quantized model: packed matrices, a scale and, unless symmetric, a zero a group; the rest in 16 bits."""
    matrices = sum(into * out for _, into, out in shape.linears)
    each = HALF + (0 if sym else bits / 8)
    few = matrices * bits / 8 + matrices / group_size * each
    return shape.layers * few + (shape.parameters - shape.layers * matrices) * HALF
