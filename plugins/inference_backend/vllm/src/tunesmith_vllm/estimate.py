"""Memory of serving, from the model's config alone."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import engine_memory

GIB = float(2**30)
PROCESSOR_CACHE = 2.0  # GiB, see `tunesmith_vllm.command`
LIBRARIES = 1.75 * GIB  # resident sizes of its three processes with a tiny model: server, scheduler, worker
GPU_LIBRARIES = 1.5 * GIB  # a context, kernels and captured graphs on the device
BATCH = 2048  # tokens that it computes at once


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, keys and values (allocated at the start), activations, the libraries."""
    settings, processor = request.settings, request.device == "cpu"
    cache = settings["kv_cache_gib"] or (PROCESSOR_CACHE if processor else 0.0)
    return engine_memory(
        request, dtype=settings["dtype"], length=settings["max_model_len"], sequences=settings["max_num_seqs"], batch=BATCH,
        libraries=LIBRARIES if processor else GPU_LIBRARIES, cache=cache * GIB, remainder="gpu_memory_utilization",
    )  # fmt: skip
