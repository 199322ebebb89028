"""The format: one document a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row

ROW = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1}},
    "examples": [{"text": "Faust is a tragic play in two parts."}],
}


class PlainText:
    """``{"text"}`` -> ``dataset/text``, every character as it stands."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        if not row["text"].strip():
            raise UserError("TS-DATA-020", "`text` is empty", why="It is a document without text.", fix="Remove the row.")
        return {"text": row["text"]}
