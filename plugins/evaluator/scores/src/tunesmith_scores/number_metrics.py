"""Metrics of numbers. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt


def number_metrics(wanted: Sequence[float], found: Sequence[float]) -> dict[str, float]:
    """Mean errors, and correlations, which are not told where all numbers of a side are the same."""
    errors = [one - other for one, other in zip(wanted, found, strict=True)]
    told = {"mse": sum(error * error for error in errors) / len(errors), "mae": sum(map(abs, errors)) / len(errors)}
    if len(set(wanted)) > 1 and len(set(found)) > 1:
        told |= {"pearson": _correlation(wanted, found), "spearman": _correlation(_ranks(wanted), _ranks(found))}
    return told


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    a, b = ([value - sum(values) / len(values) for value in values] for values in (one, other))
    return sum(x * y for x, y in zip(a, b, strict=True)) / sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal ones share the mean of theirs."""
    below, ranks = 0, {}
    for value, count in sorted(Counter(values).items()):
        ranks[value] = below + (count + 1) / 2
        below += count
    return [ranks[value] for value in values]
