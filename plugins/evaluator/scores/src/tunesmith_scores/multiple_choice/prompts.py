"""What a model reads of a question, and what it may say: as lm-evaluation-harness writes MMLU and C-Eval (letters) and ARC (texts).

letters:  <question>\\nA. <choice>\\nB. <choice>\\nAnswer:     and then  " A" or " B"
texts:    Question: <question>\\nAnswer:                       and then  " <choice>"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith_data.api import Row
from tunesmith_scores.multiple_choice.rows import LETTERS
from tunesmith_scores.multiple_choice.settings import MultipleChoiceSettings

BETWEEN = "\n\n"  # two examples


@dataclass(frozen=True)
class Prompt:
    """Args:
    text: what comes before the answer, examples included.
    answers: each choice as it would be said; a space stands before it.
    right: the number of the right one.
    """

    text: str
    answers: Sequence[str]
    right: int


def prompts(rows: Sequence[Row], settings: MultipleChoiceSettings) -> list[Prompt]:
    """Of all rows but the first ``num_fewshot``, which are the examples before each."""
    examples, asked = rows[: settings.num_fewshot], rows[settings.num_fewshot :]
    before = settings.description
    for row in examples:
        before += f"{_question(row, settings)} {_answers(row, settings)[row['right']]}{BETWEEN}"
    return [Prompt(before + _question(row, settings), _answers(row, settings), row["right"]) for row in asked]


def _question(row: Row, settings: MultipleChoiceSettings) -> str:
    if settings.answers == "texts":
        return f"Question: {row['question']}\n{settings.cue}"
    listed = "".join(f"{letter}. {choice}\n" for letter, choice in zip(LETTERS, row["choices"], strict=False))
    return f"{row['question'].strip()}\n{listed}{settings.cue}"


def _answers(row: Row, settings: MultipleChoiceSettings) -> Sequence[str]:
    return row["choices"] if settings.answers == "texts" else LETTERS[: len(row["choices"])]
