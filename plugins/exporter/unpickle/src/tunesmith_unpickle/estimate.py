"""Memory and disk, from the sizes of the files."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest

LIBRARIES = 260e6  # resident after importing torch and safetensors


def estimate(request: EstimateRequest) -> Estimate:
    """A file at a time is in memory, mapped as a pickle and once more as it is written."""
    size = float(request.input_bytes)
    return Estimate({"libraries": LIBRARIES, "read": size, "written": size}, disk=size)
