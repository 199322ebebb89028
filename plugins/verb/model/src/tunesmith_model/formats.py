"""What can be made of a model, what serves and what judges it: by the installed plugins' manifests, and what their estimators refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import fits
from tunesmith_cli.api import StepEstimator
from tunesmith_model.estimator import wanted
from tunesmith_model.source import Model

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry


def formats(model: Model, registry: Registry, steps: StepEstimator) -> dict[str, list[dict[str, Any]]]:
    """By kind of provider, those that read the model's format: what they make, and why they would refuse this model here.

    Args:
        steps: of this machine.
    """
    verbs = [verb for verb in registry.providers("verb").values() if verb.inputs and verb.inputs[0].of == verb.main_kind != ""]
    found = {verb.main_kind: [*_readers(model, registry, verb, steps)] for verb in verbs}
    return {kind: rows for kind, rows in found.items() if rows}


def _readers(model: Model, registry: Registry, verb: ProviderRecord, steps: StepEstimator) -> Iterator[dict[str, Any]]:
    for record in registry.providers(verb.main_kind).values():
        if fits(model.format, record.accepts) and not record.schema.get("required"):  # what it needs to be told is none of the model's
            seen = steps.of(verb, {}, wanted(verb, record.name))
            why_not = seen.problems[0].what if seen.problems else ""
            yield {"name": record.name, "verb": verb.name, "makes": list(record.produces), "why_not": why_not}
