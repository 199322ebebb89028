"""Memory and disk of quantizing, from the model's sizes alone."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith.errors import UserError
from tunesmith_compressed_tensors.schemes import SCHEMES
from tunesmith_models import BYTES, ModelShape, check_media, compute_type, stored_type
from tunesmith_models.group_size import fitting_group_size

LIBRARIES = 0.46 * 2**30  # resident size of Python with torch, transformers and LLM Compressor
HALF, SINGLE = 2.0, 4.0


def estimate(request: EstimateRequest) -> Estimate:
    """The model, what a layer reads and gives on the rows, the Hessians of a layer's matrices, the libraries.

    Raises:
        UserError: TS-QUANT-001 when the group size does not divide the model's matrices; TS-QUANT-006 when the scheme has no groups;
            TS-DATA-032 for rows that it does not take.
    """
    settings, shape, unsure = request.settings, ModelShape.of(request), check_media(request)
    scheme = SCHEMES[settings["scheme"]]
    if settings["group_size"] and not scheme.grouped:
        raise UserError(
            "TS-QUANT-006", f"`group_size` has no effect with the scheme {settings['scheme']}",
            why="Its weights share a scale by row or by matrix, as engines' kernels for it want.",
            fix="Leave `group_size` out, or write `scheme: W4A16` or `scheme: W8A16`.",
        )  # fmt: skip
    group_size = fitting_group_size(shape, settings["group_size"]) if scheme.grouped else 0
    if shape is None:
        return Estimate({"model": float(request.input_bytes), "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    rows = min(settings["num_calibration_samples"], request.data.get("rows") or settings["num_calibration_samples"])
    widest = max(linear.inputs for linear in shape.linears)
    disk = size(shape, scheme.bits, group_size)
    each = BYTES[compute_type("auto", stored_type(shape.config) or "bfloat16", request)[0]]
    hessians = sum(one.inputs**2 * one.count for one in shape.linears) / shape.layers if settings["algorithm"] == "gptq" else 0
    terms = {
        "model": shape.parameters * each,
        "calibration": 2 * rows * settings["max_seq_length"] * shape.hidden * each,
        "Hessians": (hessians + 2 * widest**2) * SINGLE,
        "batch": settings["batch_size"] * settings["max_seq_length"] * 4 * widest * SINGLE,
        "quantized model": disk,
        "libraries": LIBRARIES,
    }
    return Estimate(terms, disk=disk, warnings=unsure)


def size(shape: ModelShape, bits: int, group_size: int) -> float:
    """Bytes of the quantized model: packed matrices, a scale a group or a row; the rest in 16 bits."""
    scales = sum(one.count * one.outputs * (one.inputs / group_size if group_size else 1) for one in shape.linears)
    return shape.matrices * bits / 8 + scales * HALF + (shape.parameters - shape.matrices) * HALF
