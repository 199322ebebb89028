"""The evaluator `generation`: answers of an endpoint, many at a time, compared with the expected ones.

What could not be scored is counted and is no wrong answer: an answer that was refused (`failed`), that was cut off before it could be told
(`truncated`), or in which the answer is not found (`unparsed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Artifact, Evaluation, Step
from tunesmith_generation.answers import Answer, ask, forget, request_bodies, write_asked
from tunesmith_generation.metrics.catalog import metrics
from tunesmith_generation.metrics.matches import compiled
from tunesmith_generation.metrics.metric import Metric
from tunesmith_generation.questions import Question, questions
from tunesmith_generation.samples import counted, tell_missing
from tunesmith_generation.settings import GenerationSettings
from tunesmith_statistics import smallest_difference


class Generation:
    """
    Raises:
        UserError: TS-EVAL-002 where a pattern or schema of the settings is none.
    """

    def __init__(self, settings: GenerationSettings) -> None:
        self.settings = settings
        self._extract = compiled(settings.extract, "extract") if settings.extract else None

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        measured = metrics(self.settings)
        asked = questions(data, self.settings)
        seen = smallest_difference(len(asked))
        if any(metric.binary for metric in measured.values()):
            step.log(f"{len(asked)} questions: a difference of {100 * seen:.1f} points between two models is seen in 4 of 5 evaluations")
        bodies = request_bodies(asked, self.settings, step.seed)
        write_asked(bodies, step)
        answers = ask(subject, bodies, self.settings, step)
        samples = [self._sample(one, answer, measured) for one, answer in zip(asked, answers, strict=True)]
        counts = counted(samples)
        tell_missing(samples, step)
        counts.check(self.settings.max_not_scored)
        scored = [sample for sample in samples if "not_scored" not in sample]
        found: dict[str, float] = {}
        for name, metric in measured.items():
            columns = [[sample[key] for sample in scored] for key in ("parsed", "expected", name)]
            figure = metric.figure(*columns)
            if signature := getattr(metric, "signature", ""):
                step.log(f"{name}: {signature}")
            found |= {name: figure.value, f"{name}/low": figure.low, f"{name}/high": figure.high}
        if any(metric.binary for metric in measured.values()):
            found["smallest_difference"] = seen
        forget(step)
        return Evaluation({**found, **counts.metrics()}, samples)

    def _sample(self, asked: Question, answer: Answer, measured: Mapping[str, Metric]) -> dict[str, Any]:
        told: dict[str, Any] = {"question": asked.text, "expected": asked.expected, "answer": answer.text}
        if answer.missing:
            return {**told, "not_scored": answer.missing, "why": answer.why}
        text, cut = answer.text, answer.cut
        if self._extract is not None:
            found = list(self._extract.finditer(text))
            if cut or not found:
                return {**told, "not_scored": "truncated" if cut else "unparsed"}
            text = (found[-1][1] if self._extract.groups else found[-1][0]) or ""
        scores = {name: metric.score(text, asked.expected, cut) for name, metric in measured.items()}
        if None in scores.values():
            return {**told, "not_scored": "truncated"}
        first = next(iter(measured))
        return {**told, "parsed": text, "right" if measured[first].binary else "score": scores[first], **scores}
