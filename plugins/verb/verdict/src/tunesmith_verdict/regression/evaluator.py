"""The evaluator `regression`: the built-in questions, and the share of right answers in each area."""

from __future__ import annotations

import json
from typing import Any

from tunesmith.contracts import Artifact, Evaluation, Step, UserError
from tunesmith_generation.api import Answer, Question, ask, counted, forget, request_bodies, tell_missing, write_asked
from tunesmith_statistics import share
from tunesmith_verdict.regression.checks import CUT_TELLS, is_right
from tunesmith_verdict.regression.questions import AREAS, questions
from tunesmith_verdict.settings import RegressionSettings


class Regression:
    """
    Raises:
        UserError: TS-EVAL-002 for an area that there is not.
    """

    def __init__(self, settings: RegressionSettings) -> None:
        unknown = [name for name in settings.areas if name not in AREAS]
        if unknown:
            raise UserError("TS-EVAL-002", f"`areas` names `{unknown[0]}`", why="There is no such area.",
                            fix=f"Choose among {', '.join(AREAS)}.")  # fmt: skip
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        asked = [one for one in questions() if not self.settings.areas or one["area"] in self.settings.areas]
        bodies = request_bodies([self._asked(one) for one in asked], self.settings, step.seed)
        write_asked(bodies, step)
        answers = ask(subject, bodies, self.settings, step)
        samples = [_sample(one, answer) for one, answer in zip(asked, answers, strict=True)]
        counts = counted(samples)
        tell_missing(samples, step)
        counts.check(self.settings.max_not_scored)
        found: dict[str, float] = {}
        for area in ("", *AREAS):
            rights = [sample["right"] for sample in samples if "right" in sample and area in ("", sample["area"])]
            if rights:
                figure, name = share(sum(rights), len(rights)), area or "right"
                found |= {name: figure.value, f"{name}/low": figure.low, f"{name}/high": figure.high}
        forget(step)
        return Evaluation({**found, **counts.metrics()}, samples)

    def _asked(self, one: dict[str, Any]) -> Question:
        system = [{"role": "system", "content": self.settings.system}] if self.settings.system else []
        told = {"role": "user", "content": self.settings.template.replace("{question}", one["question"])}
        return Question([*system, told], [], one["question"], "", {})


def _sample(one: dict[str, Any], answer: Answer) -> dict[str, Any]:
    expected = json.dumps(one["check"], ensure_ascii=False)
    told: dict[str, Any] = {"question": one["question"], "expected": expected, "answer": answer.text, "area": one["area"]}
    if answer.missing:
        return {**told, "not_scored": answer.missing, "why": answer.why}
    if answer.cut and not set(one["check"]) <= CUT_TELLS:
        return {**told, "not_scored": "truncated"}
    return {**told, "right": is_right(answer.text, one["check"])}
