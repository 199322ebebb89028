"""A catalogue's file: JSON, as docs/recommend.md says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tunesmith.contracts.settings import problems
from tunesmith.contracts.untrusted_files import open_regular
from tunesmith.errors import UserError
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
    fix = "docs/recommend.md shows one."
    try:
        with open_regular(file) as read:
            found = json.loads(read.read())
    except (OSError, ValueError) as error:
        raise UserError("TS-RECOMMEND-002", f"the catalogue of models {file} can't be read: {error}", fix=fix) from None
    wrong = next((f"`{path}` {sentence}" for path, sentence in problems(SCHEMA, found)), "")
    if wrong:
        raise UserError("TS-RECOMMEND-002", f"{file} is no catalogue of models: {wrong}", fix=fix)
    return [BaseModel.from_entry(family, entry, brought_by) for family in found["families"] for entry in family["models"]]
