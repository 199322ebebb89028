"""Memory and time of serving, from the model's config alone; and settings for an expected load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models.serving import CAPTURED, EngineSettings, engine_memory, engine_variants

LIBRARIES = 1.5 * 2.0**30  # a context, kernels and captured graphs on the device, as vLLM's; not measured on hardware
NAMES = EngineSettings("context_length", "max_running_requests", dtype="dtype", shards="tp_size")


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, keys and values (allocated at the start), activations, the libraries.

    Raises:
        UserError: as `engine_memory`.
    """
    settings = request.settings
    return engine_memory(
        request, dtype=settings["dtype"], length=settings["context_length"], sequences=settings["max_running_requests"],
        batch=settings["chunked_prefill_size"], libraries=LIBRARIES, remainder="mem_fraction_static",
        names=("context_length", "max_running_requests"), shards=settings["tp_size"] * settings["pp_size"], launching=CAPTURED,
        room=lambda terms, memory: memory * settings["mem_fraction_static"] - terms["weights"],
    )  # fmt: skip


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """The expected load on one device and on several."""
    return engine_variants(request, estimate, NAMES)
