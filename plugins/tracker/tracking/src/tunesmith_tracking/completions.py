"""What a model answered while it trained, as training steps leave it in their artifacts. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

FILE = "completions.jsonl"  #: of an artifact: a line of JSON for each answer, with ``step``, ``prompt`` and ``completion``


class Completion(NamedTuple):
    """An answer.

    Args:
        at: the optimizer step after which it was given; 0: before training.
    """

    at: int
    prompt: str
    text: str


def read_completions(directory: Path) -> list[Completion]:
    """Those of an artifact, in their order; none where it has none, as most have."""
    path = directory / FILE
    if not path.is_file():
        return []
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Completion(int(line["step"]), line["prompt"], line["completion"]) for line in lines]


def markdown_table(completions: Sequence[Completion]) -> str:
    """A row for each, as Markdown that shows texts as they are."""
    rows = [f"| {answer.at} | {_cell(answer.prompt)} | {_cell(answer.text)} |" for answer in completions]
    return "\n".join(["| step | prompt | completion |", "|---|---|---|", *rows]) + "\n"


def _cell(text: str) -> str:
    for letter in "\\`*_[]<>|#~":
        text = text.replace(letter, f"\\{letter}")
    return "<br>".join(text.splitlines())
