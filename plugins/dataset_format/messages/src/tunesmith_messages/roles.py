"""Who speaks: the names that data sets use for the four roles of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError

ROLES = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant", "ai": "assistant", "chatgpt": "assistant",
    "bing": "assistant", "bard": "assistant",
    "tool_call": "assistant", "function_call": "assistant",
    "tool": "tool", "tool_response": "tool", "tool_result": "tool", "function": "tool", "function_response": "tool",
    "observation": "tool", "ipython": "tool",
}  # fmt: skip
CALLERS = ("tool_call", "function_call")  #: turns of the assistant whose text is a call, or a list of calls, in JSON


def speaker(item: Mapping[str, Any], where: str) -> str:
    """What a turn calls its speaker, in `role` or `from`.

    Raises:
        UserError: TS-DATA-025 where it names none.
    """
    for key in ("role", "from"):
        if item.get(key):
            return str(item[key])
    raise UserError("TS-DATA-025", f"`{where}` does not say who speaks", fix='Write {"role": "user", "content": "..."}.')
