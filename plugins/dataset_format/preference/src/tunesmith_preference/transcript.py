"""Conversations that are one text, as the data of Bai et al. 2022 (arXiv:2204.05862, "HH-RLHF") write them:
``"\\n\\nHuman: Hi\\n\\nAssistant: Hello"``."""

from __future__ import annotations

import re
from typing import Any

_BEGINS = re.compile(r"\s*Human:")
_SPEAKER = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant): ?")
_ROLES = {"Human": "user", "Assistant": "assistant"}


def read_transcript(text: str) -> list[dict[str, Any]]:
    """The turns of a text that begins with one of the human's and has one of the assistant's; none of any other text.

    What ends with ``Assistant:`` and nothing after it is a prompt: that turn is left out.
    """
    if not _BEGINS.match(text):
        return []
    _, *pieces = _SPEAKER.split(text)
    turns = [{"role": _ROLES[who], "content": said.strip()} for who, said in zip(pieces[::2], pieces[1::2], strict=True)]
    if all(turn["role"] == "user" for turn in turns):
        return []
    return turns[:-1] if not turns[-1]["content"] and turns[-1]["role"] == "assistant" else turns


def continued(prompt: Any, text: str) -> bool:
    """Whether a text is the transcript that a prompt begins, and not an answer to it."""
    return isinstance(prompt, str) and bool(read_transcript(prompt)) and text.strip().startswith(prompt.strip())
