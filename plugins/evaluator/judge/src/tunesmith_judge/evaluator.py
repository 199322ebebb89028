"""The evaluator `judge`: what a model answers, judged by another: by a mark for each answer, or against the row's own answer.

    rubric    score              mean mark, 0 the worst and 1 the best
    pairwise  win_rate           wins and half of the ties, of the pairs on which both orders agree or are no win for either
              swap_agreement     share of the pairs whose winner stays the same when the answers change places
              first_place        share of the judgements with a winner that were for the answer shown first; 0.5 without a bias

A pair whose winner changes with the places is a tie. Judgements that can't be read are counted as unparsed and are no mark.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tunesmith.contracts import Artifact, Evaluation, Step
from tunesmith_generation.api import Answer, Question, ask, counted, forget, questions, request_bodies, tell_missing, write_asked
from tunesmith_judge.endpoint import judge_endpoint
from tunesmith_judge.judgement import FIRST, SECOND, TIE, body, mark, pair_messages, rubric_messages, verdict
from tunesmith_judge.settings import JudgeSettings
from tunesmith_statistics import Interval, mean

JUDGEMENTS = "judgements.jsonl"  #: in the step's work folder


class JudgeEvaluator:
    def __init__(self, settings: JudgeSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        asked = questions(data, self.settings)
        bodies = request_bodies(asked, self.settings, step.seed)
        write_asked(bodies, step)
        answers = ask(subject, bodies, self.settings, step)
        samples = [_answered(one, answer) for one, answer in zip(asked, answers, strict=True)]
        self._judge(asked, samples, step)
        counts = counted(samples)
        tell_missing(samples, step)
        counts.check(self.settings.max_not_scored)
        scored = [sample for sample in samples if "not_scored" not in sample]
        figure = _figure([sample["score"] for sample in scored])
        name = "score" if self.settings.mode == "rubric" else "win_rate"
        found = {name: figure.value, f"{name}/low": figure.low, f"{name}/high": figure.high, **counts.metrics()}
        if self.settings.mode == "pairwise":
            found |= _places(scored, step)
        forget(step)
        forget(step, JUDGEMENTS)
        return Evaluation(found, samples)

    def _judge(self, asked: Sequence[Question], samples: Sequence[dict[str, Any]], step: Step) -> None:
        """Writes into the samples what the judge says of those that have an answer."""
        settings = self.settings
        judge = judge_endpoint(settings.url, settings.judge_model, settings.timeout)
        open_ = [(one, sample) for one, sample in zip(asked, samples, strict=True) if "not_scored" not in sample]
        orders = 1 if settings.mode == "rubric" else 2
        bodies = [
            body(self._messages(one, sample["answer"], order), settings.judge_max_tokens)
            for one, sample in open_
            for order in range(orders)
        ]
        said = ask(judge, bodies, dataclasses.replace(settings, model=""), step, kept=JUDGEMENTS, what="judging")
        for at, (_, sample) in enumerate(open_):
            sample |= self._read(said[orders * at : orders * (at + 1)])

    def _messages(self, one: Question, answer: str, order: int) -> list[dict[str, str]]:
        question, settings = _conversation(one), self.settings
        if settings.mode == "rubric":
            return rubric_messages(question, answer, settings.rubric, settings.scale, one.expected if settings.reference else "")
        return pair_messages(question, *((answer, one.expected) if order == 0 else (one.expected, answer)), settings.rubric)

    def _read(self, said: Sequence[Answer]) -> dict[str, Any]:
        told: dict[str, Any] = {"judgement": "\n---\n".join(answer.text for answer in said)}
        for answer in said:
            if answer.missing or answer.cut:
                return {**told, "not_scored": answer.missing or "truncated", "why": f"the judgement: {answer.why or 'it was cut off'}"}
        read = [mark(said[0].text, self.settings.scale)] if self.settings.mode == "rubric" else [verdict(answer.text) for answer in said]
        if None in read:
            return {**told, "not_scored": "unparsed", "why": "the judgement names no mark or verdict"}
        if self.settings.mode == "rubric":
            return {**told, "score": read[0]}
        ours = [_ours(read[0], FIRST), _ours(read[1], SECOND)]  # the answer stood first, then second
        return {**told, "score": ours[0] if ours[0] == ours[1] else 0.5, "verdicts": read, "orders_agree": ours[0] == ours[1]}


def _ours(said: Any, place: str) -> float:
    return 0.5 if said == TIE else float(said == place)


def _answered(one: Question, answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"question": one.text, "expected": one.expected, "answer": answer.text}
    if answer.missing or answer.cut:
        return {**told, "not_scored": answer.missing or "truncated", **({"why": answer.why} if answer.why else {})}
    return told


def _conversation(one: Question) -> str:
    """What was asked: the last turn alone, or all turns with their roles."""
    own = one.row["messages"][: 1 + max(at for at, turn in enumerate(one.row["messages"]) if turn["role"] == "user")]
    if len(own) == 1:
        return one.text
    return "\n\n".join(f"[{turn['role']}] {''.join(part.get('text', '') for part in turn['content'])}" for turn in own)


def _figure(values: Sequence[float]) -> Interval:
    value = sum(values) / len(values)
    return mean(values) or Interval(value, value, value)


def _places(scored: Sequence[dict[str, Any]], step: Step) -> dict[str, float]:
    said = [name for sample in scored for name in sample["verdicts"]]
    decided = [name for name in said if name != TIE]
    first = decided.count(FIRST) / len(decided) if decided else 0.5
    agree = sum(sample["orders_agree"] for sample in scored) / len(scored)
    if agree < 0.5:
        step.log(
            f"the judge's verdict stays the same in {agree:.0%} of the pairs when the answers change places: it hardly judges", "warning"
        )
    return {
        "swap_agreement": agree, "first_place": first,
        "wins": float(sum(sample["score"] == 1 for sample in scored)), "losses": float(sum(sample["score"] == 0 for sample in scored)),
    }  # fmt: skip
