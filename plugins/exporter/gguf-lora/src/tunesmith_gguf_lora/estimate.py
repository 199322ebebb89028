"""Memory and disk: an adapter is small, and read tensor by tensor."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest

LIBRARIES = 80e6  # resident after importing gguf, numpy and safetensors


def estimate(request: EstimateRequest) -> Estimate:
    disk = request.input_bytes * (1.0 if request.settings["outtype"] == "f32" else 0.5)
    return Estimate({"libraries": LIBRARIES, "adapter": 2.0 * request.input_bytes}, disk=disk)
