"""The format: a text or a conversation with its class or with several at once, or words with a class each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_messages.api import MEDIA_COLUMNS, MESSAGES, TEXT_OR_NULL, TOOLS, Media, read_messages, read_tools

CLASSES = "labels"  #: name of the column with all classes of a text
TAGS = (CLASSES, "ner_tags", "tags", "pos_tags", "chunk_tags")  #: names of the column with the words' classes, in order of preference
_CLASS = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "boolean"}, {"type": "number"}]}
_TAGS = {"anyOf": [{"type": "array", "items": _CLASS}, {"type": "null"}]}
ROW = {
    "type": "object",
    "anyOf": [
        *({"required": [told, name]} for told in ("text", "messages") for name in ("label", CLASSES)),
        *({"required": ["tokens", name]} for name in TAGS),
    ],
    "properties": {
        "text": TEXT_OR_NULL, "messages": {"anyOf": [MESSAGES, {"type": "null"}]}, "system": TEXT_OR_NULL,
        "label": {"anyOf": [*_CLASS["anyOf"], {"type": "null"}]}, **dict.fromkeys(TAGS, _TAGS),
        "tokens": {"anyOf": [{"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}, {"type": "null"}]}, **TOOLS,
        **MEDIA_COLUMNS,
    },
    "examples": [
        {"text": "It broke on the first day.", "label": "negative"},
        {"messages": [{"role": "user", "content": "Where is my parcel?"}], "label": "delivery"},
        {"text": "Too dear, and it came late.", "labels": ["price", "delivery"]},
        {"tokens": ["Goethe", "lived", "in", "Weimar"], "ner_tags": ["PERSON", "O", "O", "PLACE"]},
    ],
}  # fmt: skip


class Labelled:
    """-> ``dataset/labelled``. A class is a name or a number; true and false are names."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        if row.get("tokens"):
            column = next((name for name in TAGS if row.get(name)), TAGS[0])
            row = {**row, column: row.get(column) or []}
            if len(row["tokens"]) != len(row[column]):
                what = f"{len(row['tokens'])} `tokens` have {len(row[column])} `{column}`"
                raise UserError("TS-DATA-075", what, fix="Write one for each, or remove the row.")
            return {"tokens": list(row["tokens"]), "labels": [_class(value, column) for value in row[column]]}
        known = _known(row)
        if row.get("messages"):
            media = Media(row)
            system = read_messages([{"role": "system", "content": row.get("system")}], media, where="system")
            messages = [*system, *read_messages(row["messages"], media)]
            media.finish()
            if messages:
                return {"messages": messages, **known, **read_tools(row)}
        if not (row.get("text") or "").strip():
            raise UserError("TS-DATA-020", "`text` is empty", why="There is nothing to tell the class of.", fix="Remove the row.")
        return {"text": row["text"], **known}


def _known(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The class of a text, or all that it has.

    Raises:
        UserError: TS-DATA-076 for a class that is named twice, or both columns.
    """
    if row.get(CLASSES) is None:
        return {"label": _class(row.get("label"), "label")}
    if row.get("label") is not None:
        raise UserError("TS-DATA-076", f"`label` is {row['label']!r:.40} beside `{CLASSES}`", fix="Leave one of the two columns out.")
    found = [_class(value, CLASSES) for value in row[CLASSES]]
    if twice := [value for value in found if found.count(value) > 1]:
        raise UserError(
            "TS-DATA-076", f"`{CLASSES}` has {twice[0]!r} twice", why="It lists the classes that the text has, each once.",
            fix="Leave the second out; of a vector of 0 and 1 write the classes that have the 1.",
        )  # fmt: skip
    return {CLASSES: found}


def _class(value: Any, where: str) -> str | int | float:
    """
    Raises:
        UserError: TS-DATA-076 for what is neither a name nor a number.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else value
    raise UserError("TS-DATA-076", f"`{where}` is {value!r:.40}", why="A class is a name or a number.", fix="Write it, or remove the row.")
