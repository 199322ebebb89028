"""Memory and disk of quantizing, from the model's sizes alone."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import BYTES, ModelShape, check_media, compute_type, stored_type
from tunesmith_models.group_size import fitting_group_size

LIBRARIES = 0.45 * 2**30  # resident size of Python with torch, transformers and AutoRound
HALF, SINGLE = 2.0, 4.0


def estimate(request: EstimateRequest) -> Estimate:
    """The model, what a layer reads and gives on the sequences (of the model and of the quantized one), a layer's training, the libraries.

    Raises:
        UserError: TS-QUANT-001 when the group size does not divide the model's matrices; TS-DATA-032 for rows that it does not take.
    """
    settings, shape, unsure = request.settings, ModelShape.of(request), check_media(request)
    group_size = fitting_group_size(shape, settings["group_size"])
    if shape is None:
        return Estimate({"model": float(request.input_bytes), "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    rows = min(settings["num_calibration_samples"], request.data.get("rows") or settings["num_calibration_samples"])
    widest = max(linear.inputs for linear in shape.linears)
    disk = size(shape, settings["bits"], group_size)
    each = BYTES[compute_type("auto", stored_type(shape.config) or "bfloat16", request)[0]]
    terms = {
        "model": shape.parameters * each,
        "calibration": 3 * rows * settings["max_seq_length"] * shape.hidden * each,
        "one layer's rounding": 4 * shape.matrices / shape.layers * SINGLE,  # offset, gradient, the best so far, the rounded
        "batch": settings["batch_size"] * settings["max_seq_length"] * 6 * widest * SINGLE,
        "quantized model": disk,
        "libraries": LIBRARIES,
    }
    return Estimate(terms, disk=disk, warnings=unsure)


def size(shape: ModelShape, bits: int, group_size: int) -> float:
    """Bytes of the quantized model: packed matrices, a scale and a zero a group, a group's number a column; the rest in 16 bits."""
    few = 0.0
    for one in shape.linears:
        groups = one.inputs / group_size if group_size > 0 else 1
        few += one.parameters * bits / 8 + one.count * (groups * one.outputs * (HALF + bits / 8) + one.inputs * SINGLE)
    return few + (shape.parameters - shape.matrices) * HALF
