"""A row that holds one conversation -> ``dataset/chat``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Message, Row
from tunesmith_messages.conversation import read_messages
from tunesmith_messages.media import Media
from tunesmith_messages.row_schema import KTO, MEDIA_COLUMNS, MESSAGES, TEXT_OR_NULL, TOOLS
from tunesmith_messages.tool_descriptions import read_tools

CHAT = {"system": TEXT_OR_NULL, **TOOLS, **KTO, **MEDIA_COLUMNS}  #: columns that may stand beside a conversation


def chat_schema(column: str) -> dict[str, Any]:
    """JSON Schema of such a row."""
    example = [{"role": "user", "content": "Where do artifacts live?"}, {"role": "assistant", "content": "In the store."}]
    return {"type": "object", "required": [column], "properties": {column: MESSAGES, **CHAT}, "examples": [{column: example}]}


def read_chat(row: Mapping[str, Any], column: str) -> Row:
    """
    Args:
        column: which one holds the turns.

    Raises:
        UserError: TS-DATA-020 to TS-DATA-026 for what can't be read, or would be trained on otherwise than the row says.
    """
    refuse_bad_example(row)
    media = Media(row)
    system = read_messages([{"role": "system", "content": row.get("system")}], media, where="system")
    messages = read_messages(row[column], media, where=column)
    media.finish()
    refuse_nothing_learnt(messages, column)
    return {"messages": [*system, *messages], **read_tools(row)}


def refuse_nothing_learnt(messages: Sequence[Message], where: str) -> None:
    """Raise TS-DATA-021 for turns of which none is the assistant's, or none is trained on."""
    answers = [turn for turn in messages if turn["role"] == "assistant"]
    if not answers:
        raise UserError("TS-DATA-021", f"`{where}` has no turn of the assistant", why="There is nothing to learn or compare.",
                        fix="Add the answer as the last turn, or remove the row.")  # fmt: skip
    if all(turn.get("weight") == 0 for turn in answers):
        raise UserError("TS-DATA-021", f"`{where}` has no turn of the assistant that is trained on", why="All have the weight 0.",
                        fix="Remove the row.")  # fmt: skip


def refuse_bad_example(row: Mapping[str, Any]) -> None:
    """Raise TS-DATA-023 for a row of KTO's form that shows how not to answer."""
    for key in KTO:
        if row.get(key) is False:
            raise UserError("TS-DATA-023", f"`{key}` is false: the row says that its answer is a bad one",
                            why="As an ordinary row it would be trained on as a good one.",
                            fix=f"Remove the rows whose `{key}` is false, or take an objective that reads `dataset/unpaired`.")  # fmt: skip
