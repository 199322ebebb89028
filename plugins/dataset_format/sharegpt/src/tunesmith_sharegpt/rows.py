"""The format: a conversation of senders and values, as ShareGPT exported it and Vicuna, LLaVA and LLaMA-Factory keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_data.api import Row
from tunesmith_messages.api import chat_schema, read_chat

ROW = chat_schema("conversations")


class ShareGPT:
    """``{"conversations": [{"from", "value"}, ...], "system"?, "tools"?, "images"?}`` -> ``dataset/chat``."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        return read_chat(row, "conversations")
