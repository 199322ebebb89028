"""Rows of datasets, with typed content parts: text, image, audio, video.

``dataset/chat``: ``{"messages": [{"role", "content": [part, ...]}, ...], "tools"?: [...]}``.
``dataset/preference``: ``{"messages": [...prompt...], "chosen": [...], "rejected": [...], "margin"?: number, "category"?: text,
"tools"?}``, both lists of messages that begin with one of the assistant's; ``margin``: by how much the chosen one is better, 0 or more;
``category``: what kind of comparison it is, for evaluation.
``dataset/unpaired``: ``{"messages": [...prompt...], "answer": [...], "label": true | false, "tools"?}``; ``label``: is it a good one.
``dataset/stepwise``: ``{"messages": [...prompt...], "completions": [text, ...], "labels": [true | false, ...]}``, a label for each step.
``dataset/prompt``: ``{"messages": [...], "tools"?, "columns"?}``, a chat whose last message is not the assistant's; ``columns``: what else
the row had, by name, which rewards read.
``dataset/text``: ``{"text": text}``, a document as it is, without a chat template.
``dataset/labelled``: ``{"text": text, "label": class}`` or ``{"messages": [...], "label": class, "tools"?}``, the class a name or a number;
with ``"labels": [class, ...]`` in the place of ``"label"`` all classes that it has, each once, perhaps none; or
``{"tokens": [word, ...], "labels": [class, ...]}``, one for each word.
``dataset/embedding``: ``{"anchor": text, "positive": text, "negatives": [text, ...]}``, of negatives perhaps none.
A part is ``{"type": "text", "text": ...}`` or ``{"type": "image" | "audio" | "video", "path" | "url": ...}``.

The order of keys is part of a row: a chat template writes tools and arguments as they come, so nothing sorts them on the way.

A dataset holds its media: a path in ``rows.jsonl`` is one within the dataset's directory, and `read_rows` gives it in full. A video may be
a folder of pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

PART_TYPES = ("text", "image", "audio", "video")
ROWS_FILE = "rows.jsonl"
CONVERSATIONS = ("messages", "chosen", "rejected", "answer")  #: keys of a row that hold lists of messages
TEXTS = ("text", "completions", "tokens", "anchor", "positive", "negatives")  #: keys that hold a text, or a list of them
LABELS = ("label", "labels")  #: keys that hold what the row is an example of, or a list of that


class Part(TypedDict, total=False):
    """One piece of a message's content; which key holds it follows from `type`."""

    type: str
    text: str
    path: str
    url: str


class Message(TypedDict, total=False):
    """One turn, in the terms of the OpenAI chat protocol.

    Args:
        role: ``system``, ``user``, ``assistant`` or ``tool``.
        tool_calls: ``{"type": "function", "function": {"name", "arguments"}, "id"?}``; `arguments` are an object, never a text of JSON.
        reasoning_content: what the assistant thought before its answer.
        weight: 0 for a turn of the assistant that is read and not trained on; 1, or no such key, for one that is trained on.
    """

    role: str
    content: list[Part]
    name: str
    reasoning_content: str
    tool_calls: list[Mapping[str, Any]]
    tool_call_id: str
    weight: int


Row = Mapping[str, Any]


def message(role: str, content: str | Sequence[Mapping[str, Any]]) -> Message:
    """A message with typed parts; a plain string becomes one text part."""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else [dict(p) for p in content]
    return {"role": role, "content": parts}  # type: ignore[typeddict-item]


def text_of(message: Mapping[str, Any]) -> str:
    """The text parts of a message, joined."""
    return "".join(part.get("text", "") for part in message["content"] if part["type"] == "text")


def columns_of(row: Row) -> dict[str, Any]:
    """A row as columns, for libraries whose tasks name columns.

    A conversation has `question`, the last turn that is not the assistant's, and `answer`, the assistant's last; a prompt has `question`
    and the row's own columns; others are as they are.
    """
    if "messages" not in row:
        return dict(row)
    turns = row["messages"]
    found: dict[str, Any] = {"question": next((text_of(turn) for turn in reversed(turns) if turn["role"] != "assistant"), "")}
    answers = [text_of(turn) for turn in turns if turn["role"] == "assistant"]
    if answers:
        found["answer"] = answers[-1]
    columns = row.get("columns", {})
    return {**found, **(columns if isinstance(columns, Mapping) else {})}


def characters_of(row: Row) -> int:
    """How long a row's text is, its prompt's included."""
    said = sum(len(text_of(turn)) for key in CONVERSATIONS for turn in row.get(key, ()))
    return said + sum(len(row[key]) if isinstance(row[key], str) else sum(map(len, row[key])) for key in TEXTS if key in row)


def read_rows(directory: Path) -> Iterator[Row]:
    """The rows of a ``dataset/*`` artifact, in order, with the full paths of their media."""
    with open(Path(directory) / ROWS_FILE, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if '"path"' in line:
                _locate(row, Path(directory))
            yield row


def _locate(row: Row, directory: Path) -> None:
    for part in (part for key in CONVERSATIONS for turn in row.get(key, ()) for part in turn["content"]):
        if "path" in part:
            part["path"] = str(directory / part["path"])
