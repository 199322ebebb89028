"""The verbs that a recommendation is written with, found by what they do: none is known by its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tunesmith.contracts import fits

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry

ADAPTER = "adapter"
SMALLER = ("quantizer", "exporter")  #: kinds whose providers make a model smaller


def training_verbs(registry: Registry) -> list[ProviderRecord]:
    """Those that make what their adapter makes, of a model and rows."""
    return [verb for verb in _verbs(registry) if slot_of(verb, ADAPTER) == verb.produces_of != "" and verb.main_kind]


def training_settings(registry: Registry) -> set[str]:
    """Names of the settings that training steps have themselves."""
    return {name for verb in training_verbs(registry) for name in verb.schema.get("properties", {})}


def serving_verbs(registry: Registry) -> list[ProviderRecord]:
    return [verb for verb in _verbs(registry) if verb.service and verb.main_kind and registry.providers(verb.main_kind)]


def verb_over(registry: Registry, kind: str) -> ProviderRecord | None:
    """The verb whose main provider is of a kind."""
    return next((verb for verb in _verbs(registry) if verb.main_kind == kind), None)


def slot_of(verb: ProviderRecord, kind: str) -> str:
    """The name of the slot for a kind; empty if it has none."""
    return next((slot.name for slot in verb.slots if slot.kind == kind), "")


def rows_input(verb: ProviderRecord) -> str:
    """The input that its main provider reads as rows; empty if there is none."""
    return next((entry.name for entry in verb.inputs[1:] if entry.of == verb.main_kind and entry.required), "")


def rows_of(verb: ProviderRecord) -> str:
    """The input that takes rows beside what the verb works on; that of its main provider, where there are several."""
    return rows_input(verb) or next((entry.name for entry in verb.inputs[1:] if any(f.startswith("dataset/") for f in entry.accepts)), "")


def reading(registry: Registry, verb: ProviderRecord, formats: Iterable[str]) -> list[ProviderRecord]:
    """The main providers of a verb that read rows of one of these formats."""
    wanted = list(formats)
    return [record for record in registry.providers(verb.main_kind).values() if any(fits(format, record.accepts) for format in wanted)]


def required_inputs(verb: ProviderRecord, record: ProviderRecord) -> list[str]:
    """Inputs beside the main one that a provider can't do without."""
    return [entry.name for entry in verb.inputs[1:] if entry.required or record.facts.get(entry.required_by or " ")]


def _verbs(registry: Registry) -> list[ProviderRecord]:
    return list(registry.providers("verb").values())
