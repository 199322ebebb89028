"""The format: a conversation of senders and values, as ShareGPT exported it and Vicuna, LLaVA and LLaMA-Factory keep it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.contracts.rows import Message, Row, message
from tunesmith.errors import UserError
from tunesmith_messages import MEDIA_COLUMNS, TEXT_OR_NULL, TOOLS, Media, read_tools, refuse_empty

ROLES = {
    "system": "system",
    "human": "user", "user": "user",
    "gpt": "assistant", "chatgpt": "assistant", "assistant": "assistant", "model": "assistant", "bing": "assistant", "bard": "assistant",
    "function_call": "assistant",
    "tool": "tool", "observation": "tool", "function_response": "tool",
}  # fmt: skip
_TURN = {
    "type": "object",
    "required": ["from", "value"],
    "properties": {"from": {"type": "string", "enum": list(ROLES)}, "value": {"type": "string"}},
}
ROW = {
    "type": "object",
    "required": ["conversations"],
    "properties": {
        "conversations": {"type": "array", "items": _TURN, "minItems": 1}, "system": TEXT_OR_NULL, "tools": TOOLS, **MEDIA_COLUMNS,
    },
}  # fmt: skip


class ShareGPT:
    """``{"conversations": [{"from", "value"}, ...], "system"?, "tools"?, "images"?}`` -> ``dataset/chat``."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        media = Media(row)
        turns = [{"from": "system", "value": row.get("system") or ""}, *row["conversations"]]
        messages = [self._turn(turn, media, f"conversations[{index - 1}]") for index, turn in enumerate(turns) if not _blank_system(turn)]
        media.finish()
        if not any(turn["role"] == "assistant" for turn in messages):
            raise UserError("TS-DATA-021", "`conversations` has no turn of the assistant", why="There is nothing to learn or compare.",
                            fix="Add the answer as the last turn, or remove the row.")  # fmt: skip
        return {"messages": messages, **read_tools(row)}

    def _turn(self, turn: Mapping[str, Any], media: Media, where: str) -> Message:
        if turn["from"] == "function_call" and (calls := _calls(turn["value"])):
            return message("assistant", []) | {"tool_calls": calls}  # type: ignore[return-value]
        converted = message(ROLES[turn["from"]], media.split(turn["value"]))
        refuse_empty(converted, where)
        return converted


def _blank_system(turn: Mapping[str, Any]) -> bool:
    return turn["from"] == "system" and not turn["value"].strip()


def _calls(text: str) -> list[dict[str, Any]]:
    """The tool calls written as JSON, one or a list; none when it is something else, which then stays text."""
    try:
        read = json.loads(text)
    except ValueError:
        return []
    calls = read if isinstance(read, list) else [read]
    if not all(isinstance(call, dict) and set(call) == {"name", "arguments"} for call in calls):
        return []
    return [{"type": "function", "function": call} for call in calls]
