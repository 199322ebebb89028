"""The models that are described here: by the active model loaders, and in a file of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import UserError
from tunesmith_recommend.catalog.base_model import BaseModel
from tunesmith_recommend.catalog.catalog_file import read_catalog

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

FACT = "models"  #: of a model loader: the name of its catalogue's file, beside the manifest


def installed_models(registry: Registry, file: Path | None = None) -> tuple[list[BaseModel], list[str]]:
    """All of them, and what is wrong with loaders' catalogues: a broken one of a stranger's does not keep the others from being used.

    Args:
        file: a catalogue of one's own; of two that describe the same model it counts.

    Raises:
        UserError: TS-RECOMMEND-002 when there is something wrong with that file.
    """
    found: dict[str, BaseModel] = {}
    warnings = []
    places = {plugin.distribution: plugin.path for plugin in registry.plugins}
    for record in registry.providers("model_loader").values():
        place, name = places.get(record.distribution), record.facts.get(FACT)
        if name and place:
            try:
                found |= {model.uri: model for model in read_catalog(place.parent / str(name), record.distribution)}
            except UserError as error:
                warnings.append(f"the models of `{record.name}` ({record.distribution}) are left out: {error.what}")
    if file:
        found |= {model.uri: model for model in read_catalog(file, str(file))}
    return list(found.values()), warnings
