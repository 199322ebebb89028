"""How much of the differences between trials goes with each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from tunesmith_tune.api import Parameter, Search, Trial

FEWEST = 6  # trials below which nothing is said


def importance(search: Search, done: Sequence[Trial]) -> dict[str, float]:
    """Share of the variance of the first goal that each parameter explains by itself: of numbers by a parabola (on the scale on which they
    are searched), of choices by the mean of each; adjusted for how many terms that takes (H. Theil, "Economic Forecasts and Policy", 1961),
    so that chance comes to about 0. Interactions count for none of the two. Empty with too few trials or no differences.
    """
    scores = [trial.scores[0] for trial in done]
    if len(done) < FEWEST or max(scores) == min(scores):
        return {}
    found = {one.name: _explained(one, done, scores) for one in search.space}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _explained(parameter: Parameter, done: Sequence[Trial], scores: Sequence[float]) -> float:
    if parameter.numeric:
        places = [parameter.share(trial.values[parameter.name]) for trial in done]
        columns = [[place**power for place in places] for power in range(min(3, len(set(places))))]
    else:
        seen = list(dict.fromkeys(trial.values[parameter.name] for trial in done))
        columns = [[float(trial.values[parameter.name] == one) for trial in done] for one in seen]
    terms = len(columns)
    if terms < 2 or len(done) <= terms:
        return 0.0
    fitted = _fit(columns, scores)
    mean = fmean(scores)
    left = sum((score - fit) ** 2 for score, fit in zip(scores, fitted, strict=True))
    whole = sum((score - mean) ** 2 for score in scores)
    return max(0.0, 1 - (left / (len(done) - terms)) / (whole / (len(done) - 1)))


def _fit(columns: Sequence[Sequence[float]], values: Sequence[float]) -> list[float]:
    """The nearest combination of the columns, by Gram-Schmidt."""
    fitted, basis = [0.0] * len(values), []
    for column in columns:
        rest = list(column)
        for one in basis:
            share = sum(a * b for a, b in zip(rest, one, strict=True))
            rest = [a - share * b for a, b in zip(rest, one, strict=True)]
        length = sum(a * a for a in rest) ** 0.5
        if length < 1e-9:
            continue
        basis.append([a / length for a in rest])
        share = sum(a * b for a, b in zip(values, basis[-1], strict=True))
        fitted = [a + share * b for a, b in zip(fitted, basis[-1], strict=True)]
    return fitted
