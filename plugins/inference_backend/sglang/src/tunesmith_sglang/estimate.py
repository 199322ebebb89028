"""Memory of serving, from the model's config alone."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import engine_memory

LIBRARIES = 1.5 * 2.0**30  # a context, kernels and captured graphs on the device, as vLLM's; not measured on hardware


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, keys and values (allocated at the start), activations, the libraries."""
    settings = request.settings
    return engine_memory(
        request, dtype=settings["dtype"], length=settings["context_length"], sequences=settings["max_running_requests"],
        batch=settings["chunked_prefill_size"], libraries=LIBRARIES, remainder="mem_fraction_static",
    )  # fmt: skip
