"""The evaluator `custom`: what a function of the user's says of each answer, and its mean."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import Artifact, Evaluation, Step, UserError
from tunesmith_custom.score_function import score_function, value_of
from tunesmith_custom.settings import CustomSettings
from tunesmith_generation.api import (
    Answer,
    Question,
    ask,
    counted,
    forget,
    prompts,
    questions,
    request_bodies,
    tell_missing,
    write_asked,
)  # fmt: skip
from tunesmith_statistics import Interval, mean, share

CHAT = "dataset/chat"


class Custom:
    """
    Raises:
        UserError: TS-EVAL-011 where the settings have no function.
    """

    def __init__(self, settings: CustomSettings) -> None:
        self.settings = settings
        self._function = score_function(settings)

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        asked = self._asked(data)
        bodies = request_bodies(asked, self.settings, step.seed)
        write_asked(bodies, step)
        answers = ask(subject, bodies, self.settings, step)
        samples = [self._sample(one, answer) for one, answer in zip(asked, answers, strict=True)]
        counts = counted(samples)
        tell_missing(samples, step)
        counts.check(self.settings.max_not_scored)
        figure = _figure([sample["value"] for sample in samples if "not_scored" not in sample])
        forget(step)
        return Evaluation({"score": figure.value, "score/low": figure.low, "score/high": figure.high, **counts.metrics()}, samples)

    def _asked(self, data: Artifact | None) -> list[Question]:
        """
        Raises:
            UserError: TS-EVAL-011 where prompts, which have no answers, are to be examples; as of `questions` and `prompts`.
        """
        if data and data.format == CHAT:
            return questions(data, self.settings)
        if self.settings.num_fewshot:
            raise UserError("TS-EVAL-011", "rows without answers can't be examples", why=f"`num_fewshot` is {self.settings.num_fewshot}.",
                            fix="Give the rows answers, or leave `num_fewshot` out.")  # fmt: skip
        return prompts(data, self.settings)

    def _sample(self, one: Question, answer: Answer) -> dict[str, Any]:
        told: dict[str, Any] = {"question": one.text, "expected": one.expected, "answer": answer.text}
        if answer.missing or answer.cut:
            return {**told, "not_scored": answer.missing or "truncated", **({"why": answer.why} if answer.why else {})}
        row = {**one.row.get("columns", {}), "question": one.text, "expected": one.expected, "messages": one.row.get("messages", [])}
        try:
            value = value_of(self._function(answer.text, row))
        except Exception as error:  # whatever the user's function raises: it has failed for this row, and the others count
            return {**told, "not_scored": "failed", "why": f"{type(error).__name__}: {error}"[:300]}
        if value is None:
            return {**told, "not_scored": "unparsed", "why": "the function can't tell"}
        return {**told, "value": float(value), **({"right": value} if isinstance(value, bool) else {"score": value})}


def _figure(values: list[float]) -> Interval:
    if all(value in (0.0, 1.0) for value in values):
        return share(int(sum(values)), len(values))
    middle = sum(values) / len(values)
    return mean(values) or Interval(middle, middle, middle)
