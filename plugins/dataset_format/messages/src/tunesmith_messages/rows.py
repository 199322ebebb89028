"""The format: one conversation a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts.rows import Row
from tunesmith.errors import UserError
from tunesmith_messages.conversation import read_messages
from tunesmith_messages.media import Media
from tunesmith_messages.schema import MEDIA_COLUMNS, MESSAGES, TOOLS
from tunesmith_messages.tools import read_tools

ROW = {"type": "object", "required": ["messages"], "properties": {"messages": MESSAGES, "tools": TOOLS, **MEDIA_COLUMNS}}


class Messages:
    """``{"messages": [{"role", "content"}, ...], "tools"?, "images"?}`` -> ``dataset/chat``. Its own output is such a row, too."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        media = Media(row)
        messages = read_messages(row["messages"], media)
        media.finish()
        if not any(turn["role"] == "assistant" for turn in messages):
            raise UserError("TS-DATA-021", "`messages` has no turn of the assistant", why="There is nothing to learn or compare.",
                            fix="Add the answer as the last message, or remove the row.")  # fmt: skip
        return {"messages": messages, **read_tools(row)}
