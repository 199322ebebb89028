"""What each row of an evaluation came to, and whether two evaluations of the same rows differ by more than chance."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist, fmean, stdev
from typing import Any, NamedTuple

SAMPLES = "samples.jsonl"  # of a report
FEWEST = 20  # rows below which the normal distribution says too little of their mean
_WEIGHTS = ("", "tokens")


class RowScores(NamedTuple):
    """A number for each row, with its weight; their mean is the metric, or grows with it."""

    values: tuple[float, ...]
    weights: tuple[float, ...]

    @property
    def mean(self) -> float:
        return math.fsum(v * w for v, w in zip(self.values, self.weights, strict=True)) / math.fsum(self.weights)


class Interval(NamedTuple):
    """By how much one is better than the other, and the 95 % interval of that."""

    gain: float
    low: float
    high: float


def row_scores(report: Path, metric: str, value: float) -> RowScores | None:
    """The numbers behind a metric: those of which the metric is the mean, or the exponential of the mean; None where no column of the
    samples is that."""
    path = report / SAMPLES
    if not path.is_file():
        return None
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    columns = sorted({key for row in rows for key, one in row.items() if isinstance(one, (bool, int, float))})
    ordered = [metric, "right", "score", *columns]
    for column in dict.fromkeys(name for name in ordered if name in columns):
        for weight in _WEIGHTS:
            found = _column(rows, column, weight)
            if found and any(math.isclose(one, value, rel_tol=1e-6, abs_tol=1e-9) for one in (found.mean, math.exp(min(found.mean, 700)))):
                return found
    return None


def _column(rows: Sequence[Mapping[str, Any]], column: str, weight: str) -> RowScores | None:
    try:
        values = tuple(float(row[column]) for row in rows)
        weights = tuple(float(row[weight]) if weight else 1.0 for row in rows)
    except (KeyError, TypeError, ValueError):
        return None
    return RowScores(values, weights) if values and all(map(math.isfinite, values)) and math.fsum(weights) > 0 else None


def paired_gain(before: RowScores, now: RowScores, *, lower_is_better: bool) -> Interval | None:
    """How much better `now` is than `before`, row by row; None where they are not of the same rows, or too few.

    The interval is that of a weighted mean of differences, normal by the central limit theorem; rows count as drawn independently.
    """
    if before.weights != now.weights or len(before.values) < FEWEST:
        return None
    sign, usual = (-1.0 if lower_is_better else 1.0), fmean(now.weights)
    pairs = zip(before.values, now.values, now.weights, strict=True)
    differences = [sign * (b - a) * w / usual for a, b, w in pairs]
    mean = fmean(differences)
    reach = NormalDist().inv_cdf(0.975) * stdev(differences) / math.sqrt(len(differences))
    return Interval(mean, mean - reach, mean + reach)
