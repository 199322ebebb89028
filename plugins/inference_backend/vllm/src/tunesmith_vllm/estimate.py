"""Memory and time of serving, from the model's config alone; and settings for an expected load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith_models import BYTES, ModelShape, compute_type, stored_type
from tunesmith_models.serving import ALONE, CAPTURED, EngineSettings, engine_memory, engine_variants

GIB = float(2**30)
PROCESSOR_CACHE = 2.0  # GiB, see `tunesmith_vllm.command`
LIBRARIES = 1.75 * GIB  # resident sizes of its three processes with a tiny model: server, scheduler, worker
GPU_LIBRARIES = 1.5 * GIB  # a context, kernels and captured graphs on the device
BATCH = 2048  # tokens that it computes at once
RANK = 16  # of adapters that are still to be trained


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, keys and values (allocated at the start), activations, the libraries, slots for adapters.

    Raises:
        UserError: TS-SERVE-069 for sleep on a processor; as `engine_memory`; vLLM itself would say it after it has loaded the model ("No
            available memory for the cache blocks").
    """
    settings, processor = request.settings, request.device == "cpu"
    if settings["enable_sleep_mode"] and processor:
        raise UserError(
            "TS-SERVE-069", "vLLM's sleep mode is for GPUs", why="On a processor it ignores that it is to sleep, and keeps its memory.",
            fix="Leave `enable_sleep_mode` out.",
        )  # fmt: skip
    cache = settings["kv_cache_gib"] or (PROCESSOR_CACHE if processor else 0.0)
    share, libraries = settings["gpu_memory_utilization"], LIBRARIES if processor else GPU_LIBRARIES
    adapters = adapter_slots(request)
    found = engine_memory(
        request, dtype=settings["dtype"], length=settings["max_model_len"], sequences=settings["max_num_seqs"], batch=BATCH,
        libraries=libraries, cache=cache * GIB, remainder="kv_cache_gib" if cache else "gpu_memory_utilization",
        names=("max_model_len", "max_num_seqs"), shards=settings["tensor_parallel_size"] * settings["pipeline_parallel_size"],
        launching=ALONE if settings["enforce_eager"] else CAPTURED,
        room=lambda terms, memory: memory * share - terms["weights"] - terms["activations"] - libraries - adapters,
    )  # fmt: skip
    if not adapters:
        return found
    rank = settings["max_lora_rank"] if request.step_settings.get("updatable") else RANK
    note = f"adapters that are still to be trained are counted with rank {rank} on all layers"
    return replace(found, terms={**found.terms, "adapters": adapters}, notes=(*found.notes, note))


def adapter_slots(request: EstimateRequest) -> float:
    """Bytes that it takes at the start for the adapters beside the model: a slot for each, as large as the largest needs
    (`tunesmith_vllm.lora_adapters.options`)."""
    names = [name for name in request.inputs if name.partition(".")[0] == "adapters"]
    shape, updatable = ModelShape.of(request), bool(request.step_settings.get("updatable"))
    if not (names or updatable) or shape is None:
        return 0.0
    dtype, _ = compute_type(request.settings["dtype"], stored_type(shape.config) or "bfloat16", request)
    each = sum((linear.inputs + linear.outputs) * linear.count for linear in shape.modules) * BYTES[dtype]
    if updatable:
        return float(request.settings["max_lora_rank"] * each)
    usual = RANK * each
    files = [float(request.models.get(name, {}).get("bytes") or 0) for name in names]
    slots = len(names) + (request.device == "cpu")
    return slots * max(max(files), usual if not all(files) else 0.0)


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """The expected load on one device and on several; on a processor with the cache that it needs."""
    cache = "kv_cache_gib" if request.device == "cpu" else ""
    return engine_variants(
        request, estimate, EngineSettings("max_model_len", "max_num_seqs", cache, dtype="dtype", shards="tensor_parallel_size")
    )
