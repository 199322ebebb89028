"""Memory and time of serving, from the model's config alone; and settings for an expected load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_models.serving import CAPTURED, EngineSettings, engine_memory, engine_variants

GIB = float(2**30)
INT8 = 1.01  # bytes of a parameter: 8 bits, and for each row a scale and a zero point
LIBRARIES = 0.55 * GIB  # proportional shares of its processes with a tiny model: the server (with torch and transformers), the pipeline


def estimate(request: EstimateRequest) -> Estimate:
    """Weights twice, keys and values, activations, the libraries.

    Raises:
        UserError: as `engine_memory`.
    """
    settings = request.settings
    found = engine_memory(
        request, dtype=settings["dtype"], length=settings["max_model_len"], sequences=settings["max_num_seqs"],
        batch=settings["max_num_batched_tokens"], libraries=LIBRARIES, cache=settings["kv_cache_gib"] * GIB, remainder="kv_cache_gib",
        names=("max_model_len", "max_num_seqs"), launching=CAPTURED,
    )  # fmt: skip
    notes, terms = (*found.notes, "while the model is converted, at the first start, it is in memory twice"), dict(found.terms)
    shape = ModelShape.of(request)
    if settings["weight_format"] == "int8" and shape is not None:
        terms["weights"] = shape.parameters * INT8
    terms["laid out"] = terms["weights"]  # for the processor's matrix products, beside the file, which stays mapped
    return replace(found, terms=terms, notes=notes)


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """The expected load with the cache that it needs."""
    return engine_variants(request, estimate, EngineSettings("max_model_len", "max_num_seqs", "kv_cache_gib", dtype="dtype"))
