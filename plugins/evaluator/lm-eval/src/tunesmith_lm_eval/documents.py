"""The step's rows as lm-eval's documents: mappings whose columns a task's templates name. Standard library only."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import columns_of, read_rows

FORMATS = ("dataset/multiple-choice", "dataset/chat", "dataset/prompt", "dataset/text")


def documents(data: Artifact | None, num_fewshot: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those that are examples, and those that are asked.

    Raises:
        UserError: TS-DATA-040 without rows.
    """
    every = [_document(columns_of(row)) for row in read_rows(data.path)] if data else []
    if len(every) <= num_fewshot:
        raise UserError(
            "TS-DATA-040", "There are no rows to evaluate on", why="All rows are examples (setting `num_fewshot`)." if every else "",
            fix="Give the step a `data:` file with questions.",
        )  # fmt: skip
    return every[:num_fewshot], every[num_fewshot:]


def _document(columns: dict[str, Any]) -> dict[str, Any]:
    """MMLU and tasks like it name the right choice `answer`."""
    return {"answer": columns["right"], **columns} if "right" in columns else columns
