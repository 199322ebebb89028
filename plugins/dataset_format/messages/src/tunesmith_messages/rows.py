"""The format: one conversation a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_data.api import Row
from tunesmith_messages.chat import chat_schema, read_chat

ROW = chat_schema("messages")


class Messages:
    """``{"messages": [{"role", "content"}, ...], "tools"?, "images"?}`` -> ``dataset/chat``. Its own output is such a row, too."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        return read_chat(row, "messages")
