"""What rows are for: the task that they would teach, by what they become and what is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: what rows become (`tunesmith_data.api.rows`) -> what such rows are for; of others, their format's own name
TASKS = {
    "dataset/preference": "preference",
    "dataset/unpaired": "feedback",
    "dataset/stepwise": "process-reward",
    "dataset/prompt": "prompts",
    "dataset/text": "completion",
    "dataset/labelled": "classification",
    "dataset/embedding": "embedding",
}
_DESCRIBE = ("describe", "caption", "描述")  # what somebody says who wants a caption and not an answer


def task_of(produces: Sequence[str], first: Sequence[Mapping[str, Any]], media: Mapping[str, int]) -> str:
    """
    Args:
        produces: what the rows become.
        first: the first rows as their format made them; nothing where that is not known.
        media: types of part other than text -> rows that have one.
    """
    made = next(iter(produces), "")
    if made != "dataset/chat":
        if made == "dataset/labelled" and sum("tokens" in row for row in first) * 2 > len(first):
            return "tagging"
        return TASKS.get(made, made.partition("/")[2])
    if media.get("audio"):
        return "speech"
    if media.get("image") or media.get("video"):
        asked = [_said(row, "user").casefold() for row in first]
        wanted = sum(any(word in text for word in _DESCRIBE) for text in asked)
        return "captioning" if asked and wanted * 2 > len(asked) else "vqa"
    turns = [sum(turn.get("role") == "user" for turn in row.get("messages", ())) for row in first]
    return "chat" if any(count > 1 for count in turns) else "instruction"


def _said(row: Mapping[str, Any], role: str) -> str:
    turns = [turn for turn in row.get("messages", ()) if turn.get("role") == role]
    return " ".join(part.get("text", "") for turn in turns for part in turn["content"] if part["type"] == "text")
