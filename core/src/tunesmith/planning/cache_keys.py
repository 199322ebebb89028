"""The cache key of a step: equal keys, equal artifacts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.planning.plan import PlannedStep


def step_key(step: PlannedStep, digests: Mapping[str, str]) -> str:
    """64 hexadecimal digits over everything that the step's artifact depends on.

    Neither its name nor its place in the pipeline is part of it: two steps that do the same work share it.

    Args:
        digests: digest of the artifact (of a service: its key) of every step that this one reads.
    """
    return _hash(_content(step, digests))


def task_key(step: PlannedStep, digests: Mapping[str, str]) -> str:
    """The same over what the step makes, however it is done: without interchangeable choices, and the processes, the settings that were
    left to an estimate and the environment that follow from them. Empty for a step that has no such choice.
    """
    means = {slot.name for slot in step.verb.slots if slot.interchangeable}
    if not means & step.choices.keys():
        return ""
    content = _content(step, digests)
    content["choices"] = {slot: choice for slot, choice in content["choices"].items() if slot not in means}
    left = step.estimate.settings if step.estimate else ()
    content["settings"] = {name: value for name, value in step.settings.items() if name not in left}
    del content["placement"]["processes"], content["environment"]
    return _hash(content)


def _content(step: PlannedStep, digests: Mapping[str, str]) -> dict[str, Any]:
    return {
        "verb": step.verb.identity | {"target": step.verb.target},
        "choices": {slot: choice.record.identity | {"settings": choice.settings} for slot, choice in step.choices.items()},
        "settings": step.settings,
        "seed": step.seed,
        "placement": {"device": step.placement.device, "processes": step.placement.processes, "dtypes": step.placement.dtypes},
        "environment": [step.environment, step.lock],
        "format": step.format,
        "inputs": {name: digests[source.step] if source.step else source.digest + source.beside for name, source in step.inputs.items()},
    }


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(content)).hexdigest()


def twins(steps: Sequence[PlannedStep]) -> dict[str, str]:
    """Steps that do the same work as one before them -> the first that does it. Such a step is run once; services are not shared."""
    same: dict[str, str] = {}
    first: dict[str, str] = {}
    for step in steps:
        key = step_key(step, {source.step: same.get(source.step, source.step) for source in step.inputs.values() if source.step})
        if (other := first.setdefault(key, step.name)) != step.name:
            same[step.name] = other
    return {step.name: same[step.name] for step in steps if step.name in same and not step.verb.service}


def canonical(value: Any) -> bytes:
    """JSON with one way to write each value: keys sorted, 2.0 as 2."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
