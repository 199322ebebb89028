"""Metrics that all evaluators of answers declare."""

from __future__ import annotations

from typing import Any

COUNTS = {
    "scored": {"summary": "questions with a score"},
    "failed": {"summary": "questions that the endpoint refused"},
    "truncated": {"summary": "questions whose answer was cut off before it could be told"},
    "unparsed": {"summary": "questions in whose answer nothing was found to score"},
}
SMALLEST = {"summary": "difference of two models that so many questions show in 4 of 5 evaluations, at most"}


def bounds(name: str, **more: Any) -> dict[str, dict[str, Any]]:
    """Of the 95 % interval of a metric."""
    return {
        f"{name}/low": {"summary": f"lower bound of {name} at 95 %", **more},
        f"{name}/high": {"summary": f"upper bound of {name} at 95 %", **more},
    }
