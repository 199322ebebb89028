"""Settings of an engine that serve an expected load on a machine, for the planner to compare (see `Provider.variants`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest, UserError
from tunesmith_models.dtypes import BRAIN, BYTES, HALF, WHOLE, compute_type, stored_type
from tunesmith_models.model_size import ModelShape
from tunesmith_models.serving.expected_load import ExpectedLoad

STEP = 64  # tokens: contexts are multiples of it
QUARTER = 4  # parts of a GiB in which caches are given


@dataclass(frozen=True)
class EngineSettings:
    """The names of an engine's settings; empty for those that it has not.

    Args:
        length: tokens of the longest prompt and answer together.
        sequences: requests at the same time; `most`: the highest value that it takes.
        cache: GiB for keys and values, where the engine is told how many.
        dtype: of weights and activations.
        shards: devices that share each layer.
    """

    length: str
    sequences: str = ""
    cache: str = ""
    dtype: str = ""
    shards: str = ""
    most: int = 2**20


def engine_variants(
    request: EstimateRequest, estimate: Callable[[EstimateRequest], Estimate], names: EngineSettings
) -> list[dict[str, Any]]:
    """For each number of devices that can share the model, the settings that serve the load, or else the defaults.

    As many requests at a time as are expected, or half as many, a quarter, ... where memory does not do: the others wait. The context is
    what the load needs. Weights of float32 are served in 16 bits only where they fit in no other way.

    Args:
        estimate: the engine's own estimator.
    """
    counts = _counts(request) if names.shards else [1]
    found = [_best(request, estimate, names, count, "") for count in counts]
    if not any(fits for _, fits in found) and names.dtype and (narrow := _narrower(request)):
        found += [_best(request, estimate, names, count, narrow) for count in counts]
    return [settings for settings, _ in found]


def _best(
    request: EstimateRequest, estimate: Callable[[EstimateRequest], Estimate], names: EngineSettings, count: int, dtype: str
) -> tuple[dict[str, Any], bool]:
    """The first of the offers that fits, or the first of all."""
    offers = list(_offers(request, names, count, dtype))
    fitting = (one for one in offers if _fits(replace(request, settings={**request.settings, **one}), estimate))
    return next(((one, True) for one in fitting), (offers[0], False))


def _offers(request: EstimateRequest, names: EngineSettings, count: int, dtype: str) -> Iterator[dict[str, Any]]:
    load, shape = ExpectedLoad.of(request), ModelShape.of(request)
    fixed: dict[str, Any] = {names.dtype: dtype} if dtype else {}
    if count > 1:
        fixed[names.shards] = count
    if load is None:
        yield fixed
        return
    length = ceil(load.length / STEP) * STEP
    if shape and shape.positions:
        length = max(load.length, min(length, shape.positions))
    sequences = min(load.concurrency, names.most) if names.sequences else 0
    while True:
        told = {names.length: length} | ({names.sequences: sequences} if names.sequences else {})
        if names.cache and shape:
            size = BYTES[compute_type(dtype or "auto", stored_type(shape.config) or BRAIN, request)[0]]
            told[names.cache] = ceil(shape.kv_bytes(max(1, sequences) * length, size) / 2**30 * QUARTER) / QUARTER
        yield fixed | told
        if sequences <= 1:
            return
        sequences //= 2


def _fits(request: EstimateRequest, estimate: Callable[[EstimateRequest], Estimate]) -> bool:
    memory = min((device.memory for device in request.devices), default=0)
    try:
        return not memory or estimate(request).memory <= memory
    except UserError:
        return False


def _counts(request: EstimateRequest) -> list[int]:
    """Powers of two within a node that divide the model's heads."""
    shape, there = ModelShape.of(request), len(request.devices)
    node = int(request.devices[0].facts.get("node", there)) if there else 1
    heads = shape.heads if shape else 0
    return [1] + [count for count in (2, 4, 8, 16) if count <= min(there, node) and heads % count == 0]


def _narrower(request: EstimateRequest) -> str:
    """A dtype of 16 bits that the device computes in natively, where it would compute in float32; empty where there is none."""
    shape = ModelShape.of(request)
    if shape is None or compute_type("auto", stored_type(shape.config) or BRAIN, request)[0] != WHOLE:
        return ""
    return next((name for name in (BRAIN, HALF) if name in request.dtypes), "")
