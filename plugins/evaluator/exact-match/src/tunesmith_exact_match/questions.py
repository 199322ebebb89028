"""What to ask for a row, and which answer is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import Message, Row, read_rows, text_of


@dataclass(frozen=True)
class Question:
    """Args:
    messages: as the API takes them.
    tools: descriptions of tools; empty if there are none.
    text: the last turn, for the report.
    expected: the answer that the row gives.
    """

    messages: list[dict[str, Any]]
    tools: list[Any]
    text: str
    expected: str


def questions(data: Artifact | None) -> list[Question]:
    """One a row: all before the assistant's last turn asks, that turn is the expected answer.

    Raises:
        UserError: TS-DATA-040 without rows, TS-DATA-041 for a row without question or answer, TS-DATA-042 for one that is not text.
    """
    found = [_question(number, row) for number, row in enumerate(read_rows(data.path) if data else (), 1)]
    if not found:
        raise UserError("TS-DATA-040", "There are no rows to evaluate on", fix="Give the step a `data:` file with questions and answers.")
    return found


def _question(number: int, row: Row) -> Question:
    messages = row.get("messages", ())
    last = max((index for index, turn in enumerate(messages) if turn["role"] == "assistant"), default=0)
    expected = _text(messages[last], number) if last else ""
    if not expected.strip():
        raise UserError("TS-DATA-041", f"Row {number} has no question with an answer to compare with",
                        fix="Give each row a question and, as its last turn, the assistant's answer in text.")  # fmt: skip
    asked = [_message(turn, number) for turn in messages[:last]]
    return Question(asked, list(row.get("tools", ())), asked[-1]["content"], expected)


def _message(turn: Message, number: int) -> dict[str, Any]:
    rest = {key: value for key, value in turn.items() if key not in ("role", "content")}
    return {"role": turn["role"], "content": _text(turn, number), **rest}


def _text(turn: Message, number: int) -> str:
    other = sorted({part["type"] for part in turn["content"]} - {"text"})
    if other:
        raise UserError("TS-DATA-042", f"Row {number} has a part of the type `{other[0]}`", why="Only text is asked so far.",
                        fix="Leave the row out.")  # fmt: skip
    return text_of(turn)
