"""Settings of the evaluator `multiple-choice`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_scores.settings import ScoresSettings


@dataclass(frozen=True)
class MultipleChoiceSettings(ScoresSettings):
    answers: str = setting(
        "letters", "what the model is to say: the letter of a choice that it has read (MMLU, C-Eval), or the choice's text (ARC)",
        choices=("letters", "texts"),
    )  # fmt: skip
    num_fewshot: int = setting(
        0, "the first rows of the data are examples before each question, and are no questions themselves", ge=0, le=64, examples=(2,)
    )
    description: str = setting("", "what stands before the examples; write the line breaks after it, too", examples=("Choose.\n\n",))
    cue: str = setting("Answer:", "what stands before an answer", examples=("答案：",))
    max_not_scored: float = setting(
        0.05, "largest share of the questions that may go without a score; beyond it there is no result", ge=0, le=1, examples=(0.0,)
    )
