"""The format: a prompt and its completion, as texts or as lists of messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Message, Row
from tunesmith_messages.api import (
    KTO,
    MEDIA_COLUMNS,
    MESSAGES,
    TEXT_OR_NULL,
    TOOLS,
    Media,
    read_messages,
    read_tools,
    refuse_bad_example,
    refuse_nothing_learnt,
)  # fmt: skip

_TEXT_OR_MESSAGES = {"anyOf": [{"type": "string", "minLength": 1}, MESSAGES]}
ROW = {
    "type": "object",
    "required": ["prompt", "completion"],
    "properties": {
        "prompt": _TEXT_OR_MESSAGES, "completion": _TEXT_OR_MESSAGES, "system": TEXT_OR_NULL, **TOOLS, **KTO,
        **MEDIA_COLUMNS,
    },
}  # fmt: skip


class PromptCompletion:
    """``{"prompt", "completion", "system"?}`` -> ``dataset/chat``: a text prompt is the user's turn, a text completion the assistant's."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        refuse_bad_example(row)
        media = Media(row)
        system = read_messages([{"role": "system", "content": row.get("system")}], media, where="system")
        prompt, completion = self._turns(row, "prompt", "user", media), self._turns(row, "completion", "assistant", media)
        media.finish()
        if not prompt:
            raise UserError("TS-DATA-020", "`prompt` is empty", why="There is no turn to answer.", fix="Remove the row.")
        if not completion or completion[0]["role"] != "assistant":
            raise UserError("TS-DATA-021", "`completion` does not begin with the assistant's turn", fix="Move other turns to `prompt`.")
        refuse_nothing_learnt(completion, "completion")
        return {"messages": [*system, *prompt, *completion], **read_tools(row)}

    def _turns(self, row: Mapping[str, Any], column: str, role: str, media: Media) -> list[Message]:
        value = row[column]
        return read_messages([{"role": role, "content": value}] if isinstance(value, str) else value, media, where=column)
