"""Memory and time of serving and of converting, from the model's config alone; and settings for an expected load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith_models import ModelShape
from tunesmith_models.serving import CAPTURED, EngineSettings, engine_memory, engine_variants

GIB = float(2**30)
INT8 = 1.01  # bytes of a parameter: 8 bits, and for each row a scale and a zero point
CONVERTED = "model/openvino"  #: format of what the exporter writes
CONVERTER = 0.75 * GIB  # resident after importing torch, transformers, optimum-intel and nncf
LIBRARIES = 0.55 * GIB  # proportional shares of its processes with a tiny model: the server (with torch and transformers), the pipeline


def estimate(request: EstimateRequest) -> Estimate:
    """Weights twice, keys and values, activations, the libraries.

    Raises:
        UserError: as `engine_memory`; TS-SERVE-057 for weights in another format than a converted model has.
    """
    settings = request.settings
    if request.format == CONVERTED and settings["weight_format"] != "auto":
        raise UserError(
            "TS-SERVE-057", f"`weight_format: {settings['weight_format']}` can't be given to a model that is converted already",
            fix="Give it to the step that exports the model, and leave it out where it is served.",
        )  # fmt: skip
    found = engine_memory(
        request, dtype=settings["dtype"], length=settings["max_model_len"], sequences=settings["max_num_seqs"],
        batch=settings["max_num_batched_tokens"], libraries=LIBRARIES, cache=settings["kv_cache_gib"] * GIB, remainder="kv_cache_gib",
        names=("max_model_len", "max_num_seqs"), launching=CAPTURED,
    )  # fmt: skip
    converting = () if request.format == CONVERTED else ("while the model is converted, at the first start, it is in memory twice",)
    notes, terms = (*found.notes, *converting), dict(found.terms)
    shape = ModelShape.of(request)
    if settings["weight_format"] == "int8" and shape is not None:
        terms["weights"] = shape.parameters * INT8
    terms["laid out"] = terms["weights"]  # for the processor's matrix products, beside the file, which stays mapped
    return replace(found, terms=terms, notes=notes)


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """The expected load with the cache that it needs."""
    return engine_variants(request, estimate, EngineSettings("max_model_len", "max_num_seqs", "kv_cache_gib", dtype="dtype"))


def conversion(request: EstimateRequest) -> Estimate:
    """Of the exporter: the model in PyTorch in float32, and as much again while it is traced and written."""
    shape = ModelShape.of(request)
    parameters = shape.parameters if shape else request.input_bytes / 2.0
    disk = parameters * (INT8 if request.settings["weight_format"] == "int8" else request.input_bytes / parameters if parameters else 2.0)
    notes = () if shape else ("the model's sizes are unknown; guessed from its files",)
    return Estimate({"libraries": CONVERTER, "weights": parameters * 4.0, "trace": parameters * 4.0}, disk=disk, notes=notes)
