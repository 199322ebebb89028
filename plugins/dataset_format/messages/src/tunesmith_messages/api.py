"""The pieces that formats with turns in them build on: all of `tunesmith_messages` that other distributions may import.

`read_chat` (a row of one conversation -> ``dataset/chat``) with `chat_schema`; `read_messages` (a list of turns -> messages with typed
parts), `Media` (a row's image, audio and video columns behind their placeholders), `read_tools`, `refuse_bad_example`, and the JSON Schemas
`MESSAGES`, `TURN`, `MEDIA_COLUMNS`, `TOOLS`, `KTO`. Standard library only.
"""

from tunesmith_messages.chat import chat_schema, read_chat, refuse_bad_example, refuse_nothing_learnt
from tunesmith_messages.conversation import read_messages
from tunesmith_messages.media import Media, reference
from tunesmith_messages.row_schema import KTO, MEDIA_COLUMNS, MESSAGES, TEXT_OR_NULL, TOOLS, TURN
from tunesmith_messages.tool_descriptions import read_tools

__all__ = [
    "KTO", "MEDIA_COLUMNS", "MESSAGES", "TEXT_OR_NULL", "TOOLS", "TURN", "Media", "chat_schema", "read_chat", "read_messages", "read_tools",
    "reference", "refuse_bad_example", "refuse_nothing_learnt",
]  # fmt: skip
