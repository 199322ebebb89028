"""Memory and disk of writing and of reading such checkpoints, from the model's sizes alone."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import ModelShape, check_media
from tunesmith_models.dtypes import BYTES
from tunesmith_models.group_size import fitting_group_size

LIBRARIES = 0.5 * 2**30  # resident size of Python with torch, transformers and AutoGPTQ
HALF, SINGLE = 2.0, 4.0


def quantizing(request: EstimateRequest) -> Estimate:
    """The model in float32, what a layer reads on the rows, the libraries.

    Raises:
        UserError: TS-QUANT-001 when the group size does not divide the model's matrices; TS-DATA-032 for rows that it does not take.
    """
    settings, shape, unsure = request.settings, ModelShape.of(request), check_media(request)
    group_size = fitting_group_size(shape, settings["group_size"])
    if shape is None:
        return Estimate({"model": 2.0 * request.input_bytes, "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    tokens = (
        min(settings["num_calibration_samples"], request.data.get("rows") or settings["num_calibration_samples"])
        * settings["max_seq_length"]
    )
    widest = max(linear.inputs for linear in shape.linears)
    each = settings["bits"] / 8 + (HALF + settings["bits"] / 8) / (group_size if group_size > 0 else shape.hidden)
    disk = shape.matrices * each + (shape.parameters - shape.matrices) * HALF
    terms = {
        "model": shape.parameters * SINGLE,
        "calibration": tokens * (2 * shape.hidden + widest) * SINGLE,
        "quantized model": disk,
        "libraries": LIBRARIES,
    }
    return Estimate(terms, disk=disk, warnings=unsure)


def reading(request: EstimateRequest) -> Estimate:
    """The unpacked model, the packed one's pages, the libraries."""
    shape = ModelShape.of(request)
    if shape is None:
        return Estimate({"source": 4.0 * request.input_bytes, "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    plain = shape.parameters * BYTES[request.settings["dtype"]]
    return Estimate({"model": plain, "source": float(request.input_bytes), "libraries": LIBRARIES}, disk=plain)
