"""Memory and time of serving, from the model's config alone; and settings for an expected load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models.serving import CAPTURED, EngineSettings, engine_memory, engine_variants

LIBRARIES = 1.5 * 2.0**30  # a context, kernels and captured graphs on the device, as vLLM's; not measured on hardware
NAMES = EngineSettings("session_len", "max_batch_size", dtype="dtype", shards="tp")


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, keys and values (allocated at the start), activations, the libraries.

    Raises:
        UserError: as `engine_memory`.
    """
    settings = request.settings
    return engine_memory(
        request, dtype=settings["dtype"], length=settings["session_len"], sequences=settings["max_batch_size"],
        batch=settings["max_prefill_token_num"], libraries=LIBRARIES, remainder="cache_max_entry_count",
        names=("session_len", "max_batch_size"), shards=settings["tp"], launching=CAPTURED,
        room=lambda terms, memory: (memory - terms["weights"] - terms["libraries"]) * settings["cache_max_entry_count"],
    )  # fmt: skip


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """The expected load on one device and on several."""
    return engine_variants(request, estimate, NAMES)
