"""The conversation that is scored: what the row asks, and the completion as the assistant's turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def conversation(prompt: str, completion: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The row's own `prompt` where it has one, a text or turns, else `prompt`: a reward model writes the chat template's marks itself."""
    own = row.get("prompt")
    if isinstance(own, list) and own:
        turns = [{"role": turn["role"], "content": turn["content"]} for turn in own]
    else:
        turns = [{"role": "user", "content": own if isinstance(own, str) else prompt}]
    return [*turns, {"role": "assistant", "content": completion}]
