"""What a metric is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tunesmith_statistics import Interval, mean, share


class Metric(Protocol):
    """`binary`: whether an answer is right or wrong, and nothing between."""

    binary: bool

    def score(self, answer: str, expected: str, cut: bool) -> float | None:
        """How right an answer is; None where it was cut off and what would have followed could change that."""

    def figure(self, answers: Sequence[str], expected: Sequence[str], scores: Sequence[float]) -> Interval:
        """Of all answers, with the bounds of its 95 % interval; bounds that are the value itself where nothing is known of them."""


class Share:
    """A share of answers that are right."""

    binary = True

    def figure(self, answers: Sequence[str], expected: Sequence[str], scores: Sequence[float]) -> Interval:
        return share(sum(map(bool, scores)), len(scores))


class Mean:
    """A mean over answers."""

    binary = False

    def figure(self, answers: Sequence[str], expected: Sequence[str], scores: Sequence[float]) -> Interval:
        value = sum(scores) / len(scores)
        return mean(scores) or Interval(value, value, value)
