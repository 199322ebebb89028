"""The format: a prompt, one answer, and whether it is a good one (Ethayarajh et al. 2024, arXiv:2402.01306, "KTO")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_messages.api import MEDIA_COLUMNS, TEXT_OR_NULL, TOOLS, TURN, Media, read_messages, read_tools, refuse_nothing_learnt
from tunesmith_unpaired.label import COLUMNS, LABEL, is_good

_TURNS = {"type": "array", "items": {"$ref": "#/definitions/turn"}, "minItems": 1}
_SAID = {"anyOf": [{"type": "string", "minLength": 1}, _TURNS, {"type": "null"}]}
_FORMS = (("prompt", "completion"), ("messages",), ("conversations",), ("instruction", "output"))
ROW = {
    "type": "object",
    "anyOf": [{"required": [*form, column]} for form in _FORMS for column in COLUMNS],
    "properties": {
        **dict.fromkeys(("prompt", "completion", "messages", "conversations"), _SAID), "instruction": TEXT_OR_NULL, "input": TEXT_OR_NULL,
        "output": TEXT_OR_NULL, "system": TEXT_OR_NULL, **dict.fromkeys(COLUMNS, LABEL), **TOOLS, **MEDIA_COLUMNS,
    },
    "definitions": {"turn": TURN},
    "examples": [{"prompt": "Who wrote Faust?", "completion": "Goethe.", "label": True}],
}  # fmt: skip


class Unpaired:
    """``{"prompt", "completion", "label"}``, or a conversation whose end is judged -> ``dataset/unpaired``."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        media = Media(row)
        system = read_messages([{"role": "system", "content": row.get("system")}], media, where="system")
        prompt, answer = _turns(row)
        messages, judged = read_messages(prompt, media, where="the prompt"), read_messages(answer, media, where="the answer")
        media.finish()
        if not judged or judged[0]["role"] != "assistant":
            raise UserError("TS-DATA-021", "After the prompt comes no turn of the assistant", why="There is nothing to judge.",
                            fix="Add the answer, or remove the row.")  # fmt: skip
        if not messages:
            raise UserError("TS-DATA-020", "There is no prompt", why="There is no turn to answer.", fix="Remove the row.")
        refuse_nothing_learnt(judged, "the answer")
        return {"messages": [*system, *messages], "answer": judged, "label": is_good(row), **read_tools(row)}


def _turns(row: Mapping[str, Any]) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """The prompt's turns, and the answer's."""
    if row.get("completion") is not None:
        return _said(row.get("prompt"), "user"), _said(row["completion"], "assistant")
    if whole := row.get("messages") or row.get("conversations"):
        turns = _said(whole, "user")
        last = max((at for at, turn in enumerate(turns) if (turn.get("role") or turn.get("from")) in ("user", "human")), default=-1) + 1
        return turns[:last], turns[last:]
    said = "\n".join(text for text in (row.get("instruction"), row.get("input")) if text)
    return _said(said, "user"), _said(row.get("output"), "assistant")


def _said(value: Any, role: str) -> Sequence[Mapping[str, Any]]:
    if isinstance(value, str):
        return [{"role": role, "content": value}] if value else []
    return value or []
