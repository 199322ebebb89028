"""Memory and disk, from the model's sizes."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import BYTES, ModelShape

LIBRARIES = 260e6  # resident after importing torch and safetensors
UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


def estimate(request: EstimateRequest) -> Estimate:
    """A shard at a time is in memory, once as it was and once as it will be."""
    shape, dtype = ModelShape.of(request), request.settings["dtype"]
    disk = float(request.input_bytes) if dtype == "auto" or shape is None else shape.parameters * float(BYTES[dtype])
    text = request.settings["max_shard_size"].strip()
    share = min(1.0, float(text[:-2]) * UNITS[text[-2:].upper()] / disk) if disk else 1.0
    notes = () if shape else ("the model's sizes are unknown; guessed from its files",)
    return Estimate({"libraries": LIBRARIES, "read": request.input_bytes * share, "written": disk * share}, disk=disk, notes=notes)
