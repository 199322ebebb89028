"""Rows with what each model said to them, those first in which the models differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith_compare.comparison import Comparison


@dataclass(frozen=True)
class AnswerRow:
    """
    Args:
        answers: label of a model -> what the evaluation says of it and this row.
    """

    question: str
    expected: str
    answers: Mapping[str, Mapping[str, Any]]

    @property
    def apart(self) -> float:
        """How far the models' scores are from one another."""
        scores = [score for one in self.answers.values() if (score := score_of(one)) is not None]
        return max(scores) - min(scores) if len(scores) > 1 else 0.0

    @property
    def differs(self) -> bool:
        said = {json.dumps([one.get("answer"), one.get("right"), one.get("not_scored")]) for one in self.answers.values()}
        return len(said) > 1


def score_of(sample: Mapping[str, Any]) -> float | None:
    value = sample.get("right", sample.get("score"))
    return float(value) if isinstance(value, (bool, int, float)) and "not_scored" not in sample else None


def answer_rows(comparison: Comparison) -> list[AnswerRow]:
    """Of each row that at least two models were asked. First are those whose scores are furthest apart, of these the ones that the base had
    right; then those with other words, then those that are alike. Empty where the evaluator tells no answers."""
    asked: dict[tuple[str, int], dict[str, Mapping[str, Any]]] = {}
    for label, result in comparison.results.items():
        seen: Counter[str] = Counter()
        for sample in result.samples:
            if "answer" not in sample:
                continue
            key = json.dumps([sample["question"], sample.get("expected", "")], sort_keys=True)
            asked.setdefault((key, seen[key]), {})[label] = sample
            seen[key] += 1
    rows = [_row(told) for told in asked.values() if len(told) > 1]
    return sorted(rows, key=lambda row: (-row.apart, -(score_of(row.answers.get(comparison.base, {})) or 0.0), not row.differs))


def _row(told: Mapping[str, Mapping[str, Any]]) -> AnswerRow:
    one = next(iter(told.values()))
    return AnswerRow(_text(one["question"]), _text(one.get("expected") or ""), dict(told))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
