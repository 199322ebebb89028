"""What the steps planned so far make, as far as it is known before they run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tunesmith.planning.plan import Choice, PlannedStep


@dataclass(frozen=True)
class Product:
    """An artifact to be.

    Args:
        step: planned step that makes it.
        group: what the user calls it: their step, or ``model``.
        format: of the artifact; empty if it is not known.
        size: bytes on disk, 0 if unknown.
        producers: who made it, the last one first, back to where it came from.
        facts: statistics of rows (``rows``, ``characters``), and the ``first`` of them.
        config: what describes the model that it is, holds, or adapts.
        model_bytes: size of that model's files as they came, 0 if unknown.
        directory: where the model's files can be read already; None if nowhere.
        service: of one that lives beside its reader: ``memory`` in bytes, 0 if unknown, its step's ``settings``, its provider's ``facts``.
    """

    step: str
    group: str
    format: str
    size: int = 0
    producers: tuple[Choice, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    model_bytes: int = 0
    directory: Path | None = None
    service: Mapping[str, Any] = field(default_factory=dict)


def product_of(step: PlannedStep, verb: Choice, main: Product | None) -> Product:
    """What a planned step makes of its main input. It counts as made by the provider that determines the format, or else by the main
    one, or else by the verb."""
    maker = step.choices.get(step.verb.produces_of) or step.choices.get(step.verb.main_kind) or verb
    made_by = (maker, *(main.producers if main else ()))
    size = int(step.estimate.disk) if step.estimate else 0
    living = {"memory": step.estimate.memory if step.estimate else 0.0, "settings": step.settings, "facts": maker.record.facts}
    made = Product(step.name, step.group, step.format, size=size, producers=made_by, service=living if step.verb.service else {})
    return replace(made, config=main.config, model_bytes=main.model_bytes, directory=main.directory) if main else made


def unused(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it if it is taken."""
    number, found = 2, name
    while found in taken:
        number, found = number + 1, f"{name}-{number}"
    return found
