"""The format: an instruction, perhaps some input, and the output (Taori et al. 2023, Stanford Alpaca)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.contracts.rows import Message, Row, message
from tunesmith.errors import UserError

_TEXT_OR_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}
_EXCHANGE = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 2}
ROW = {
    "type": "object",
    "required": ["instruction", "output"],
    "properties": {
        "instruction": {"type": "string"},
        "input": _TEXT_OR_NULL,
        "output": {"type": "string", "minLength": 1},
        "system": _TEXT_OR_NULL,
        "history": {"anyOf": [{"type": "array", "items": _EXCHANGE}, {"type": "null"}]},
    },
}


class Alpaca:
    """``{"instruction", "input"?, "output", "system"?, "history"?}`` -> ``dataset/chat``. A line end joins instruction and input."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        question = "\n".join(text for text in (row["instruction"], row.get("input")) if text)
        for name, text in (("instruction", question), ("output", row["output"])):
            if not text.strip():
                raise UserError("TS-DATA-020", f"`{name}` is empty", why="It is a turn without text.", fix="Remove the row.")
        system = [message("system", row["system"])] if (row.get("system") or "").strip() else []
        turns = [message("user", question), message("assistant", row["output"])]
        return {"messages": [*system, *self._history(row.get("history") or ()), *turns]}

    def _history(self, exchanges: Any) -> Iterator[Message]:
        for index, exchange in enumerate(exchanges):
            if len(exchange) != 2:
                raise UserError(
                    "TS-DATA-021", f"`history[{index}]` has {len(exchange)} texts",
                    why="An exchange is a question and its answer.", fix='Write it as ["question", "answer"].',
                )  # fmt: skip
            yield message("user", exchange[0])
            yield message("assistant", exchange[1])
