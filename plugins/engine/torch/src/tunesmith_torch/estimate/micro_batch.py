"""`auto` of the settings by which a step's memory can be had without another result: how much goes through the model at once, and whether
activations are kept.

What is taken is a number of the plan: the run does what stands there, and it is part of the step's cache key. It follows from the device's
whole memory, not from what is free just now, so that the same step on the same machine is the same step tomorrow.
Standard library and contracts only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith.units import bytes_text
from tunesmith_torch.settings import AUTO, TOKENS, USUAL

SHARE = 0.8  # of the device's memory: estimates of a step's peak are right to some percent (docs/estimates.md), and a heap breaks up
MOST = 2**16  # tokens at once on a device of its own
LEAST = 512  # below it a pass is mostly the reading of weights: rather keep fewer activations than cut further
FEWEST = 128  # where that is not enough
MICRO, CHECKPOINTING = "max_tokens_per_microbatch", "gradient_checkpointing"
KEEPS = "keeps_activations"  # what an adapter's estimator says that can't go with gradient checkpointing


def chosen(request: EstimateRequest, of: Callable[[EstimateRequest], Estimate]) -> Estimate:
    """The estimate with what `auto` comes to: the largest micro-batch that fits with a margin, and gradient checkpointing where none of a
    useful size does.

    Args:
        of: the estimate of a step whose settings are all given.
    """
    room = room_of(request)
    if not _left(request):
        return of(request)
    best: tuple[Mapping[str, Any], Estimate] | None = None
    for values in _candidates(request) if room else [usual(request.step_settings)]:
        found = of(replace(request, step_settings={**request.step_settings, **values}))
        if best is None or found.memory < best[1].memory or found.memory <= room:
            best = values, found
        if found.memory <= room:
            break
    assert best is not None
    return _with(best[1], request, best[0], _reason(request, *best, room))


def unknown(request: EstimateRequest, found: Estimate) -> Estimate:
    """The estimate of a step with a model whose sizes nobody knows."""
    values = usual(request.step_settings)
    return _with(found, request, values, "the usual: nothing is known of the model's sizes") if _left(request) else found


def _left(request: EstimateRequest) -> list[str]:
    return [name for name in (MICRO, CHECKPOINTING) if request.step_settings.get(name) == AUTO]


def _with(found: Estimate, request: EstimateRequest, values: Mapping[str, Any], reason: str) -> Estimate:
    taken = {name: values[name] for name in _left(request)}
    what = ", ".join(f"{name}: {str(value).lower()}" for name, value in taken.items())
    return replace(found, settings=taken, decisions=(*found.decisions, (what, reason)))


def usual(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is taken where nothing is known of the model or the device."""
    return {name: value if settings.get(name, AUTO) == AUTO else settings[name] for name, value in USUAL.items()}


def room_of(request: EstimateRequest) -> float:
    """Bytes of a device that one process may take; 0 where its memory is not known."""
    if not request.devices:
        return 0.0
    sharing = -(-request.processes // len(request.devices))
    return SHARE * min(device.memory for device in request.devices) / sharing


def _candidates(request: EstimateRequest) -> Iterator[Mapping[str, Any]]:
    """The fastest first."""
    settings = request.step_settings
    keeps = bool(request.parts.get("adapter", {}).get(KEEPS))
    ways = [False] if keeps else [False, True]
    if settings[CHECKPOINTING] != AUTO:
        ways = [bool(settings[CHECKPOINTING])]
    for way in ways:
        sizes = [settings[MICRO]] if settings[MICRO] != AUTO else _sizes(request, LEAST if way != ways[-1] else FEWEST)
        for size in sizes:
            yield {MICRO: size, CHECKPOINTING: way}


def _sizes(request: EstimateRequest, least: int) -> Iterator[int]:
    """Powers of two, from the largest that is of use down to `least`."""
    whole = int(request.step_settings["batch_size"]) * int(request.step_settings["max_length"])
    most = TOKENS if request.device == "cpu" else max(TOKENS, min(MOST, whole))
    size = 1 << (most.bit_length() - 1)
    while size >= least:
        yield size
        size //= 2


def _reason(request: EstimateRequest, values: Mapping[str, Any], found: Estimate, room: float) -> str:
    if not room:
        return f"the usual: the memory of {request.device} is not known"
    there = bytes_text(min(device.memory for device in request.devices))
    figures = f"{bytes_text(found.memory)} of {there}"
    if found.memory > room:
        return f"the least that it can be computed with: {figures}"
    if values[CHECKPOINTING] is True and request.step_settings[CHECKPOINTING] == AUTO:
        return f"activations are computed twice, since with those kept no useful micro-batch fits with a margin; the same loss ({figures})"
    first = next(iter(_candidates(request)))
    if request.step_settings[MICRO] != AUTO or values == first:
        return f"it fits with a margin ({figures})" + ("; no more is tried on a processor" if request.device == "cpu" else "")
    return f"the largest that fits with a margin; the batch and its loss stay the same ({figures})"
