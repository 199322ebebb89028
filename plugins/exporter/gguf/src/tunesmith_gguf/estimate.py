"""Memory and disk of a conversion, from the model's sizes alone."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import ModelShape

BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32}  # a weight; q8_0: 32 of a byte each share a scale of two
LIBRARIES = 430e6  # resident after importing torch, transformers and the converter
ENTRY = 1000.0  # a token of the vocabulary with its merge, as objects
METADATA = 36.0  # bytes a token in the file


def estimate(request: EstimateRequest) -> Estimate:
    """It converts tensor by tensor: the largest one in float32, the vocabulary, the libraries."""
    shape, each = ModelShape.of(request), BYTES[request.settings["outtype"]]
    if shape is None:
        note = "the model's sizes are unknown; guessed from its files"
        return Estimate({"libraries": LIBRARIES, "tensor": request.input_bytes / 4}, disk=request.input_bytes * each / 2, notes=(note,))
    largest = max(shape.vocabulary * shape.hidden, *(linear.inputs * linear.outputs for linear in shape.linears))
    disk = (shape.parameters - shape.others) * each + shape.others * 4.0 + shape.vocabulary * METADATA
    return Estimate({"libraries": LIBRARIES, "tensor": largest * 4.0, "vocabulary": shape.vocabulary * ENTRY}, disk=disk)
