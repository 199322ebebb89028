"""The dataset format `multiple-choice`: a question, the answers to choose from, and which one is right. Standard library only.

Read as published sets write them: a list of choices with the right one's number (MMLU), columns `A`, `B`, `C` ... with its letter
(C-Eval, CMMLU), or texts with labels and the right one's label (ARC).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row

FORMAT = "dataset/multiple-choice"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLUMNS = LETTERS[:10]  # that answers may stand in
_TEXT = {"type": "string", "minLength": 1}
_COLUMN = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}
_LIST = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": len(LETTERS)}
_LABELLED = {"type": "object", "required": ["text", "label"], "properties": {"text": _LIST, "label": _LIST}}
ROW = {
    "type": "object",
    "anyOf": [{"required": ["question", "choices", "answer"]}, {"required": ["question", "A", "B", "answer"]}],
    "properties": {
        "question": _TEXT, "choices": {"anyOf": [_LIST, _LABELLED]}, **dict.fromkeys(COLUMNS, _COLUMN),
        "answer": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": len(LETTERS) - 1}, _TEXT]},
    },
    "examples": [
        {"question": "Which planet is the largest?", "choices": ["Mars", "Jupiter", "Venus", "Earth"], "answer": 1},
        {"question": "2 + 2 = ?", "A": "3", "B": "4", "C": "5", "D": "6", "answer": "B"},
        {"question": "What do plants take in?", "choices": {"text": ["oxygen", "carbon dioxide"], "label": ["1", "2"]}, "answer": "2"},
    ],
}  # fmt: skip


class MultipleChoice:
    """-> ``dataset/multiple-choice``: ``{"question": text, "choices": [text, ...], "right": number}``, from 0."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        choices, labels = _choices(row)
        if not row["question"].strip() or not all(choice.strip() for choice in choices):
            raise UserError("TS-DATA-020", "The question or one of its choices is empty", why="There is nothing to choose.",
                            fix="Remove the row.")  # fmt: skip
        return {"question": row["question"], "choices": choices, "right": _right(row["answer"], choices, labels)}


def _choices(row: Mapping[str, Any]) -> tuple[list[str], Sequence[str]]:
    """The choices, and what each is called."""
    given = row.get("choices")
    if given is None:
        found = [(name, str(row[name])) for name in COLUMNS if row.get(name) is not None]
        return [text for _, text in found], [name for name, _ in found]
    if isinstance(given, Mapping):
        return list(given["text"]), list(given["label"])
    return list(given), LETTERS[: len(given)]


def _right(answer: Any, choices: Sequence[str], labels: Sequence[str]) -> int:
    """
    Raises:
        UserError: TS-DATA-084 where the answer is none of the choices.
    """
    if isinstance(answer, int) and not isinstance(answer, bool) and answer < len(choices):
        return answer
    if isinstance(answer, str) and len(choices) == len(labels):
        told = answer.strip()
        if told in labels:
            return labels.index(told)
        if list(choices).count(answer) == 1:
            return list(choices).index(answer)
        if told.isdecimal() and int(told) < len(choices):
            return int(told)
    raise UserError(
        "TS-DATA-084", f"The answer {answer!r:.40} is none of the choices", why=f"There are {len(choices)}: {', '.join(labels)}.",
        fix="Write the right choice's number, from 0, its letter or its label; or remove the row.",
    )  # fmt: skip
