"""What to ask for a row, and which answer is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import Message, Row, read_rows, text_of
from tunesmith_generation.settings import QUESTION, AskingSettings, RequestSettings


@dataclass(frozen=True)
class Question:
    """Args:
    messages: as the API takes them, examples before it included.
    tools: descriptions of tools; empty if there are none.
    text: the last turn as the row has it, for the report.
    expected: the answer that the row gives.
    row: the row itself.
    """

    messages: list[dict[str, Any]]
    tools: list[Any]
    text: str
    expected: str
    row: Row


def questions(data: Artifact | None, settings: AskingSettings) -> list[Question]:
    """One a row, but for the rows that are examples: all before the assistant's last turn asks, that turn is the expected answer.

    Raises:
        UserError: TS-DATA-040 without rows, TS-DATA-041 for a row without question or answer, TS-DATA-042 for one that is not text.
    """
    every = [_question(number, row) for number, row in enumerate(read_rows(data.path) if data else (), 1)]
    examples, found = every[: settings.num_fewshot], every[settings.num_fewshot :]
    if not found:
        raise UserError(
            "TS-DATA-040", "There are no rows to evaluate on",
            why="All rows are examples (setting `num_fewshot`)." if every else "",
            fix="Give the step a `data:` file with questions and answers.",
        )  # fmt: skip
    return [_asked(one, examples, settings) for one in found]


def prompts(data: Artifact | None, settings: RequestSettings) -> list[Question]:
    """One a row that is to be answered and has no answer (``dataset/prompt``).

    Raises:
        UserError: TS-DATA-040 without rows, TS-DATA-042 for a row that is not text.
    """
    found = []
    for number, row in enumerate(read_rows(data.path) if data else (), 1):
        asked = [_message(turn, number) for turn in row["messages"]]
        found.append(_asked(Question(asked, list(row.get("tools", ())), asked[-1]["content"], "", row), (), settings))
    if not found:
        raise UserError("TS-DATA-040", "There are no rows to evaluate on", fix="Give the step a `data:` file with prompts.")
    return found


def _question(number: int, row: Row) -> Question:
    messages = row.get("messages", ())
    last = max((index for index, turn in enumerate(messages) if turn["role"] == "assistant"), default=0)
    expected = _text(messages[last], number) if last else ""
    if not expected.strip():
        raise UserError("TS-DATA-041", f"Row {number} has no question with an answer to compare with",
                        fix="Give each row a question and, as its last turn, the assistant's answer in text.")  # fmt: skip
    asked = [_message(turn, number) for turn in messages[:last]]
    return Question(asked, list(row.get("tools", ())), asked[-1]["content"], expected, row)


def _asked(one: Question, examples: Sequence[Question], settings: RequestSettings) -> Question:
    """The question as it is asked: a system message, examples, its own turns."""
    own = _system(one.messages)
    told = own or ([{"role": "system", "content": settings.system}] if settings.system else [])
    before = [
        turn
        for example in examples
        for turn in (*_templated(_without_system(example.messages), settings), {"role": "assistant", "content": example.expected})
    ]
    messages = [*told, *before, *_templated(one.messages[len(own) :], settings)]
    return Question(messages, one.tools, one.text, one.expected, one.row)


def _system(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [messages[0]] if messages and messages[0]["role"] in ("system", "developer") else []


def _without_system(messages: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    return messages[len(_system(messages)) :]


def _templated(messages: Sequence[dict[str, Any]], settings: RequestSettings) -> list[dict[str, Any]]:
    """The last turn put into the template, where it is the user's."""
    *before, last = messages
    if last["role"] == "user":
        last = {**last, "content": settings.template.replace(QUESTION, last["content"])}
    return [*before, last]


def _message(turn: Message, number: int) -> dict[str, Any]:
    rest = {key: value for key, value in turn.items() if key not in ("role", "content")}
    return {"role": turn["role"], "content": _text(turn, number), **rest}


def _text(turn: Message, number: int) -> str:
    other = sorted({part["type"] for part in turn["content"]} - {"text"})
    if other:
        raise UserError("TS-DATA-042", f"Row {number} has a part of the type `{other[0]}`", why="Only text is asked so far.",
                        fix="Leave the row out.")  # fmt: skip
    return text_of(turn)
