"""The format: a prompt, as a text or as a list of messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_messages.api import MEDIA_COLUMNS, MESSAGES, TEXT_OR_NULL, TOOLS, Media, read_messages, read_tools

_NULL = {"type": "null"}
_PROMPT = {"anyOf": [{"type": "string", "minLength": 1}, MESSAGES, _NULL]}
ANSWERS = ("completion", "completions", "response", "responses", "output", "chosen", "rejected")  #: whose rows have them are no prompts
ROW = {
    "type": "object",
    "anyOf": [{"required": ["prompt"]}, {"required": ["messages"]}],
    "properties": {
        "prompt": _PROMPT, "messages": {"anyOf": [MESSAGES, _NULL]}, "system": TEXT_OR_NULL, **dict.fromkeys(ANSWERS, _NULL), **TOOLS,
        **MEDIA_COLUMNS,
    },
    "additionalProperties": True,  # rewards read them
    "examples": [{"prompt": "Who wrote Faust?"}],
}  # fmt: skip


class Prompts:
    """``{"prompt"}`` or ``{"messages"}`` -> ``dataset/prompt``, with what else the row has as ``columns``: rewards read it."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        media = Media(row)
        column = "prompt" if row.get("prompt") else "messages"
        value = row.get(column) or []
        turns = [{"role": "user", "content": value}] if isinstance(value, str) else value
        system = read_messages([{"role": "system", "content": row.get("system")}], media, where="system")
        messages = [*system, *read_messages(turns, media, where=column)]
        media.finish()
        if not messages:
            raise UserError("TS-DATA-020", "There is no prompt", why="There is no turn to answer.", fix="Remove the row.")
        if messages[-1]["role"] == "assistant":
            raise UserError("TS-DATA-072", f"`{column}` does not end with a turn to answer", why="Its last turn is the assistant's.",
                            fix="Take the answer out of the row.")  # fmt: skip
        columns = {name: value for name, value in row.items() if name not in ROW["properties"]}
        return {"messages": messages, **read_tools(row), **({"columns": columns} if columns else {})}
