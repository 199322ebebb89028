"""What a model takes beside text, from its ``config.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_models.model_families import FAMILIES

if TYPE_CHECKING:
    from tunesmith.contracts import EstimateRequest

_TOWERS = {"image": "vision_config", "video": "vision_config", "audio": "audio_config"}  # a video is given as its pictures
_OTHERS = {
    "text_config", "thinker_config", "quantization_config", "compression_config", "rope_scaling", "rope_parameters", "id2label",
    "label2id", "auto_map", "task_specific_params",
}  # fmt: skip  # objects in a configuration that neither see nor hear


def takes(config: Mapping[str, Any], type: str) -> bool | None:
    """Whether a model takes parts of a type (see `tunesmith_data.api.rows`); None where its configuration does not tell."""
    if type == "text":
        return True
    objects = set(_objects(config))
    if _TOWERS.get(type) in objects:
        return True
    text = config.get("text_config")
    inner = {**config, **text} if isinstance(text, Mapping) else config
    known = inner.get("model_type") in FAMILIES or not objects.isdisjoint(_TOWERS.values())
    return False if known and not objects - _OTHERS - {*_TOWERS.values()} else None


def check_media(request: EstimateRequest) -> tuple[str, ...]:
    """Whether a step's model takes the pictures, sounds and videos in its rows: for estimators, whose warnings the answer joins.

    Raises:
        UserError: TS-DATA-032 where the model's configuration says that it does not.
    """
    unknown = []
    for type, count in request.data.get("media", {}).items():
        rows, taken = f"{count} of the rows have a part of type {type}", takes(request.config, type)
        if taken is False:
            raise UserError(
                "TS-DATA-032", f"{rows}, which the model does not take", why="By its config.json nothing in it takes such parts.",
                fix="Use a model that does, or leave such rows out.",
            )  # fmt: skip
        if taken is None:
            unknown.append(f"{rows}; whether the model takes them can't be told from its configuration, the step will see")
    return tuple(unknown)


def _objects(config: Mapping[str, Any]) -> Iterator[str]:
    """Names of the objects in a configuration, and in that of a part that thinks."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield key
            if key == "thinker_config":
                yield from _objects(value)
