"""The step's rows as lm-eval's documents: mappings whose columns a task's templates name. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import Row, read_rows, text_of

FORMATS = ("dataset/multiple-choice", "dataset/chat", "dataset/prompt", "dataset/text")


def documents(data: Artifact | None, num_fewshot: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those that are examples, and those that are asked.

    Raises:
        UserError: TS-DATA-040 without rows.
    """
    every = [_document(row) for row in read_rows(data.path)] if data else []
    if len(every) <= num_fewshot:
        raise UserError(
            "TS-DATA-040", "There are no rows to evaluate on", why="All rows are examples (setting `num_fewshot`)." if every else "",
            fix="Give the step a `data:` file with questions.",
        )  # fmt: skip
    return every[:num_fewshot], every[num_fewshot:]


def _document(row: Row) -> dict[str, Any]:
    """A conversation has `question`, the last turn that is not the assistant's, and `answer`, the assistant's last; a prompt `question` and
    the row's columns; others are as they are."""
    if "messages" not in row:
        return dict(row)
    turns = row["messages"]
    found: dict[str, Any] = {"question": next((text_of(turn) for turn in reversed(turns) if turn["role"] != "assistant"), "")}
    answers = [text_of(turn) for turn in turns if turn["role"] == "assistant"]
    if answers:
        found["answer"] = answers[-1]
    columns = row.get("columns", {})
    return {**found, **(columns if isinstance(columns, Mapping) else {})}
