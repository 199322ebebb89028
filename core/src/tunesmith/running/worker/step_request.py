"""A planned step as the worker is told of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.planning.plan import Choice, PlannedStep


def step_request(
    step: PlannedStep, inputs: Mapping[str, Artifact], output: Path, work: Path, *, rank: int = 0, rendezvous: str = "",
    cache: Path | None = None, refresh: bool = False, roots: Sequence[Path] = (), pipeline: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The ``step`` of a ``run`` request, as JSON."""
    placement = dataclasses.replace(step.placement, rank=rank, rendezvous=rendezvous)
    return {
        "name": step.name, "pipeline": pipeline, "output": str(output), "work": str(work), "cache": str(cache or ""), "seed": step.seed,
        "refresh": refresh, "roots": list(map(str, roots)), "placement": dataclasses.asdict(placement),
        "settings": dict(step.settings), "settings_class": step.verb.settings, "distribution": step.verb.distribution,
        "inputs": {name: artifact.to_json() for name, artifact in inputs.items()},
        "sources": {name: source.step for name, source in step.inputs.items() if source.step},
        "choices": {slot: chosen(choice) for slot, choice in step.choices.items()}, "facts": step.facts,
        "examiners": [slot.name for slot in step.verb.slots if slot.examines and slot.name in step.choices],
    }  # fmt: skip


def ranks_of(step: PlannedStep) -> range:
    return range(max(1, step.placement.processes))


def secrets_of(step: PlannedStep) -> tuple[str, ...]:
    """The variables with secrets that the step's verb, its providers and its executor declare."""
    records = (step.verb, *(choice.record for choice in step.choices.values()), *([step.executor.record] if step.executor else []))
    return tuple(dict.fromkeys(name for record in records for name in record.secrets))


def chosen(choice: Choice) -> dict[str, Any]:
    record = choice.record
    return {
        "kind": record.kind, "target": record.target, "settings_class": record.settings, "settings": dict(choice.settings),
        "distribution": record.distribution,
    }  # fmt: skip


def producer(step: PlannedStep) -> dict[str, Any]:
    """Who made the step's artifact: the provider whose formats it has (an adapter, in training), else the main one, else the verb.

    ``target`` and ``settings_class`` let a later step build that same provider again; ``slots`` names all who took part.
    """
    choice = step.choices.get(step.verb.produces_of) or step.choices.get(step.verb.main_kind) or Choice(step.verb, step.settings)
    return {
        **_named(choice), "verb": step.verb.name, "step": dict(step.settings), "seed": step.seed,
        "slots": {slot: _named(other) for slot, other in step.choices.items()},
    }  # fmt: skip


def _named(choice: Choice) -> dict[str, Any]:
    record = choice.record
    return {**record.identity, "settings": dict(choice.settings), "target": record.target, "settings_class": record.settings}
