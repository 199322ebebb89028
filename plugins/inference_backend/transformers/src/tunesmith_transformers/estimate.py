"""Memory and time of serving, from the model's config alone; and settings for an expected load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith.contracts.artifacts import role_of
from tunesmith_models import BYTES, ModelShape, compute_type, stored_type
from tunesmith_models.serving import ALONE, EngineSettings, EngineTime, ExpectedLoad, engine_variants, held_against_load

LIBRARIES = 0.5 * 2**30  # Python with torch and transformers loaded, and what allocators of several threads keep
VOCABULARY_ROWS = 64  # rows of logits that are float32 at a time


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, the cache at its bound, the activations of a step, the libraries.

    Raises:
        UserError: TS-SERVE-005 where not one answer finds room in the cache, TS-SERVE-032 where the load that is expected would be refused.
    """
    settings, shape = request.settings, ModelShape.of(request)
    if shape is None:
        return Estimate({"weights": float(request.input_bytes), "libraries": LIBRARIES}, notes=("the model's sizes are unknown",))
    names = ("max_model_len", "max_num_seqs")
    warnings = held_against_load(request, shape, length=settings["max_model_len"], sequences=settings["max_num_seqs"], names=names)
    kind = stored_type(shape.config)
    stored = request.input_bytes / shape.parameters if request.input_bytes else BYTES.get(kind, 2.0)  # bytes per parameter
    type_, why = compute_type(settings["dtype"], kind or ("float32" if stored > 3 else "bfloat16"), request)
    dtype = BYTES[type_]
    # a quantized checkpoint stays as small in memory as it is on disk
    weights = float(request.input_bytes if stored < 1.5 else shape.parameters * dtype)
    if role_of(request.format):
        widest = 3 * shape.intermediate + 6 * shape.hidden + 4 * shape.heads * shape.head_size
        tokens = max(settings["chunked_prefill_size"], min(settings["max_model_len"] or shape.positions, shape.positions))
        return Estimate({"weights": weights, "activations": tokens * widest * dtype, "libraries": LIBRARIES}, warnings=tuple(warnings))
    notes = ["where memory is plenty, 4-bit weights are dequantized once and take more"] if stored < 1 and request.device == "cpu" else []
    length = min(settings["max_model_len"] or shape.positions, shape.positions or settings["max_model_len"])
    bound, one = settings["kv_cache_gib"] * 2**30, shape.kv_bytes(1, dtype)
    if bound < one * length:
        room = int(bound // one)
        raise UserError(
            "TS-SERVE-005", f"A `kv_cache_gib` of {settings['kv_cache_gib']:g} GiB holds {room} tokens, fewer than one answer of {length}.",
            fix=f"Set `kv_cache_gib` to {length * one / 2**30:.2g} or more, or `max_model_len` to {room} or less.",
        )  # fmt: skip
    cache = min(bound, shape.kv_bytes(settings["max_num_seqs"] * length, dtype))
    tokens = settings["chunked_prefill_size"] + settings["max_num_seqs"]
    widest = 2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size
    if cache < bound:
        notes.append(f"the cache is full only with {settings['max_num_seqs']} answers of {length} tokens")
    logits = settings["max_num_seqs"] * shape.vocabulary * dtype + VOCABULARY_ROWS * shape.vocabulary * 4.0
    terms = {"weights": weights, "kv cache": cache, "activations": tokens * widest * dtype + logits, "libraries": LIBRARIES}
    if request.device == "cpu" and type_ == "bfloat16" and stored >= 1.5:
        # laid out for oneDNN beside the files, which stay mapped
        terms["laid out"] = (shape.parameters - shape.vocabulary * shape.hidden * (1 if shape.tied else 2)) * dtype
    load = ExpectedLoad.of(request)
    if load is None:
        return Estimate(terms, notes=tuple(notes))
    together = max(1, min(settings["max_num_seqs"], int(bound // (one * load.length))))
    time = EngineTime(shape, type_, weights, one, together, 1, ALONE)
    seconds = time.seconds(load, request.devices[0].facts) if request.devices else 0.0
    return Estimate(
        terms, notes=tuple(notes), warnings=tuple(warnings), seconds=seconds, decisions=((f"computes in {type_}", why),)
    )  # fmt: skip


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """The expected load with the cache that it needs; models that give numbers keep none."""
    if role_of(request.format):
        return [{}]
    return engine_variants(request, estimate, EngineSettings("max_model_len", "max_num_seqs", "kv_cache_gib", dtype="dtype"))
