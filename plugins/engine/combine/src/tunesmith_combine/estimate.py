"""Memory and disk of `combine`, from the model's sizes alone."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import ModelShape

RUNTIME = 700e6  # Python, torch, PEFT and what that imports
MODELS = 4  # the usual most: each of them holds one matrix at a time, like the base and the result


def combine(request: EstimateRequest) -> Estimate | None:
    """One file of the result, and the largest matrix in float32 for each model; None where the sizes are unknown."""
    shape = ModelShape.of(request)
    if shape is None:
        return None
    size = float(request.input_bytes or shape.parameters * 2)
    largest = max(shape.vocabulary * shape.hidden, *(linear.inputs * linear.outputs for linear in shape.linears)) * 4.0
    return Estimate({"runtime": RUNTIME, "result": size, "matrices": (2 * MODELS + 2) * largest}, disk=size)
