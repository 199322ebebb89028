"""Memory and time of serving, from the model's config and the file's size alone; and settings for an expected load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_models.serving import CAPTURED, EngineSettings, EngineTime, ExpectedLoad, engine_variants, held_against_load

LIBRARIES = 60 * 2**20  # Python and the library
CACHE_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32}  # a value; q8_0 has a scale for each 32


def estimate(request: EstimateRequest) -> Estimate:
    """The file, mapped as it is; keys and values of all slots, allocated at the start; activations of a step; the library.

    Raises:
        UserError: TS-SERVE-032 where the load that is expected would be refused.
    """
    settings, shape = request.settings, ModelShape.of(request)
    names = ("ctx_size", "parallel")
    warnings = held_against_load(request, shape, length=settings["ctx_size"], sequences=settings["parallel"], names=names)
    terms = {"weights": float(request.input_bytes), "libraries": float(LIBRARIES)}
    if shape is None:
        notes = ("the model's sizes are unknown: the cache is not counted",)
        return Estimate(terms, notes=notes, warnings=tuple(warnings))
    each = CACHE_BYTES[settings["cache_type"]]
    terms["kv cache"] = shape.kv_bytes(settings["ctx_size"] * settings["parallel"], each)
    widest = 2 * shape.intermediate + 4 * shape.hidden + 2 * shape.heads * shape.head_size
    terms["activations"] = (settings["ubatch_size"] * widest + settings["parallel"] * shape.vocabulary) * 4.0  # logits of last tokens only
    load, facts = ExpectedLoad.of(request), request.devices[0].facts if request.devices else {}
    time = EngineTime(shape, "float16", float(request.input_bytes), shape.kv_bytes(1, each), settings["parallel"], 1, CAPTURED)
    return Estimate(terms, warnings=tuple(warnings), seconds=time.seconds(load, facts) if load else 0.0)


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """The expected load."""
    return engine_variants(request, estimate, EngineSettings("ctx_size", "parallel", most=256))
