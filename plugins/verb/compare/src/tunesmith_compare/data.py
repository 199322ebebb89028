"""The comparison as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tunesmith_compare.answers import answer_rows
from tunesmith_compare.comparison import Comparison, Standing, not_comparable


def to_json(found: Sequence[Comparison]) -> dict[str, Any]:
    """Each comparison with its models, metrics, and the rows that are answered otherwise; and what is not comparable."""
    return {
        "comparisons": [_comparison(one) for one in found],
        "not_comparable": [
            {"evaluator": one.evaluator, "models": list(one.results), "others": list(other.results),
             "differences": [{"name": name, "here": here, "there": there} for name, here, there in differences]}
            for one, other, differences in not_comparable(found)
        ],
    }  # fmt: skip


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "evaluator": one.evaluator, "identity": dict(one.identity.facts), "base": one.base, "rows": one.rows,
        "models": {
            label: {**asdict(result.model), "step": result.step, "measured_in": result.run, "metrics": dict(result.metrics)}
            for label, result in one.results.items()
        },
        "metrics": {
            name: {"better": one.better(name), "standings": [_standing(at) for at in one.standings(name)]} for name in one.metrics
        },
        "differing": [
            {"question": row.question, "expected": row.expected, "answers": {label: dict(said) for label, said in row.answers.items()}}
            for row in answer_rows(one)
            if row.differs
        ],
    }  # fmt: skip


def _standing(at: Standing) -> dict[str, Any]:
    intervals = {name: told._asdict() if (told := getattr(at, name)) else None for name in ("interval", "difference")}
    return {**asdict(at), **intervals}
