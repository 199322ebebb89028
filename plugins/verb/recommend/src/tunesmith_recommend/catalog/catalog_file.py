"""A catalogue's file: JSON, as docs/recommend.md says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith_cli.api import read_json_catalog
from tunesmith_recommend.catalog.base_model import BaseModel

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_TOLD: dict[str, Any] = {
    "released": {"type": "string", "pattern": r"^\d{4}-\d{2}$"}, "licence": _TEXT, "gated": {"type": "boolean"}, "languages": _TEXTS,
    "domains": _TEXTS, "tasks": _TEXTS, "modalities": _TEXTS, "context": {"type": "integer", "minimum": 0}, "template": _TEXT,
    "config": {"type": "object"}, "format": _TEXT, "bytes": {"type": "integer", "minimum": 0}, "source": _TEXT,
}  # fmt: skip
_MODEL = {
    "type": "object", "required": ["uri", "parameters", "config"], "additionalProperties": False,
    "properties": {"uri": _TEXT, "parameters": {"type": "number", "exclusiveMinimum": 0}, **_TOLD},
}  # fmt: skip
_FAMILY = {
    "type": "object", "required": ["family", "source", "models"], "additionalProperties": False,
    "properties": {"family": _TEXT, "models": {"type": "array", "items": _MODEL}, **_TOLD},
}  # fmt: skip
SCHEMA: dict[str, Any] = {
    "type": "object", "required": ["families"], "additionalProperties": False,
    "properties": {"families": {"type": "array", "items": _FAMILY}},
}  # fmt: skip


def read_catalog(file: Path, brought_by: str) -> list[BaseModel]:
    """The models that a file describes.

    Raises:
        UserError: TS-RECOMMEND-002 when it can't be read, or holds something else.
    """
    found = read_json_catalog(
        file, SCHEMA, named=f"{file}", kind="catalogue of models", code="TS-RECOMMEND-002", fix="docs/recommend.md shows one."
    )
    return [BaseModel.from_entry(family, entry, brought_by) for family in found["families"] for entry in family["models"]]
