"""The format: an instruction, perhaps some input, and the output (Taori et al. 2023, Stanford Alpaca)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_messages.api import KTO, MEDIA_COLUMNS, TEXT_OR_NULL, TOOLS, Media, read_messages, read_tools, refuse_bad_example

_EXCHANGE = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 2}
ROW = {
    "type": "object",
    "required": ["instruction", "output"],
    "properties": {
        "instruction": {"type": "string"}, "input": TEXT_OR_NULL, "output": {"type": "string", "minLength": 1}, "system": TEXT_OR_NULL,
        "history": {"anyOf": [{"type": "array", "items": _EXCHANGE}, {"type": "null"}]}, **TOOLS, **KTO, **MEDIA_COLUMNS,
    },
}  # fmt: skip


class Alpaca:
    """``{"instruction", "input"?, "output", "system"?, "history"?}`` -> ``dataset/chat``. A line end joins instruction and input."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        refuse_bad_example(row)
        question = "\n".join(text for text in (row["instruction"], row.get("input")) if text)
        for name, text in (("instruction", question), ("output", row["output"])):
            if not text.strip():
                raise UserError("TS-DATA-020", f"`{name}` is empty", why="It is a turn without text.", fix="Remove the row.")
        media = Media(row)
        system = read_messages([_turn("system", row.get("system"))], media, where="system")
        history = read_messages(list(_history(row.get("history") or ())), media, where="history")
        turns = read_messages([_turn("user", question), _turn("assistant", row["output"])], media, where="instruction and output")
        media.finish()
        return {"messages": [*system, *history, *turns], **read_tools(row)}


def _history(exchanges: Any) -> Iterator[dict[str, Any]]:
    for index, exchange in enumerate(exchanges):
        if len(exchange) != 2:
            raise UserError(
                "TS-DATA-021", f"`history[{index}]` has {len(exchange)} texts",
                why="An exchange is a question and its answer.", fix='Write it as ["question", "answer"].',
            )  # fmt: skip
        yield _turn("user", exchange[0])
        yield _turn("assistant", exchange[1])


def _turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}
