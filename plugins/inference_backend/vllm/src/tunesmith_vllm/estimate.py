"""Memory of serving, from the model's config alone."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import BYTES, ModelShape, compute_type, stored_type

GIB = float(2**30)
PROCESSOR_CACHE = 2.0  # GiB, see `tunesmith_vllm.command`
LIBRARIES = 1.75 * GIB  # resident sizes of its three processes with a tiny model: server, scheduler, worker
GPU_LIBRARIES = 1.5 * GIB  # a context, kernels and captured graphs on the device
BATCH = 2048  # tokens that it computes at once


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, keys and values (allocated at the start), activations, the libraries."""
    settings, shape, processor = request.settings, ModelShape.of(request), request.device == "cpu"
    libraries = LIBRARIES if processor else GPU_LIBRARIES
    cache = (settings["kv_cache_gib"] or (PROCESSOR_CACHE if processor else 0.0)) * GIB
    if shape is None:
        note = "the model's sizes are unknown"
        return Estimate({"weights": float(request.input_bytes), "kv cache": cache, "libraries": libraries}, notes=(note,))
    stored = request.input_bytes / shape.parameters if request.input_bytes else 2.0  # bytes a parameter
    dtype = BYTES[compute_type(settings["dtype"], stored_type(shape.config) or "bfloat16", request)[0]]
    # a quantized checkpoint stays as small in memory as it is on disk
    weights = request.input_bytes if stored < 1.5 else shape.parameters * dtype
    length = min(settings["max_model_len"] or shape.positions, shape.positions or settings["max_model_len"])
    whole = shape.kv_bytes(settings["max_num_seqs"] * length, dtype, latent=True)
    notes = ()
    if not cache:
        cache, notes = whole, ("vLLM takes for keys and values what gpu_memory_utilization leaves; counted is what its settings can use",)
    activations = min(BATCH, max(length, 1)) * (2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size) * dtype
    logits = settings["max_num_seqs"] * shape.vocabulary * 4.0
    return Estimate(
        {"weights": float(weights), "kv cache": cache, "activations": activations + logits, "libraries": libraries}, notes=notes
    )
