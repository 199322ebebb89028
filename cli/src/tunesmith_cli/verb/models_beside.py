"""Models that a step reads beside its main one: a reference, a teacher. Named by an address, they are fetched in a step of their own."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_cli.verb.arguments import VerbForm, takes_model

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

_MODEL = "model"  # how steps call the pipeline's model


@dataclass(frozen=True)
class ModelsBeside:
    """By input.

    Args:
        places: the steps that fetch what has an address.
        steps: names of steps of earlier commands.
    """

    places: Mapping[str, Mapping[str, Any]]
    steps: tuple[str, ...]

    @classmethod
    def of(cls, form: VerbForm, raw: Mapping[str, Any], registry: Registry) -> ModelsBeside:
        """What the step `raw` reads.

        Raises:
            UserError: TS-SPEC-013 for an address that no loader serves.
        """
        written = {entry.name: raw[entry.name] for entry in form.others if takes_model(entry) and entry.name in raw}
        places = {name: _fetch(text, registry) for name, text in written.items() if "/" in text or os.path.exists(text)}
        return cls(places, tuple(text for name, text in written.items() if name not in places and text != _MODEL))

    def fetched(self, raw: dict[str, Any], taken: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The steps that fetch them, under names that are not taken, which `raw` is made to read."""
        found: dict[str, Mapping[str, Any]] = {}
        for name, step in self.places.items():
            raw[name] = next(one for one in (name, *(f"{name}-{number}" for number in range(2, 10**6))) if one not in taken)
            found[raw[name]] = step
        return found


def _fetch(text: str, registry: Registry) -> dict[str, Any]:
    from tunesmith.planning.inputs.model_source import loader_of, model_uri
    from tunesmith.planning.pipeline.spec import PipelineSpec

    uri = model_uri(PipelineSpec("", text, {}, Path.cwd()))
    return {"download": loader_of(uri, registry).name, "settings": {"uri": uri}}
