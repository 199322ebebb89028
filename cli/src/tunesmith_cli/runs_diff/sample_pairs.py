"""Rows that both runs were asked, side by side, and how sure the difference of a metric is that follows from them."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith_statistics import Interval, mean_difference, share, share_difference

if TYPE_CHECKING:
    from tunesmith.contracts.artifacts import Artifact

FILE = "samples.jsonl"
_ALIKE = 1e-6
Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


def samples(artifact: Artifact | None) -> list[dict[str, Any]]:
    """What an evaluation says of each of its rows; empty where it says nothing."""
    try:
        with open(artifact.path / FILE if artifact else "", encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return []
    return [sample for sample in found if isinstance(sample, dict) and "question" in sample]


def sample_pairs(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[Pair]:
    """Samples of the same question with the same expected answer, in the order of `before`; the second of equal ones with the second."""
    waiting: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for sample in reversed(after):
        waiting[_question(sample)].append(sample)
    return [(sample, waiting[_question(sample)].pop()) for sample in before if waiting[_question(sample)]]


def _question(sample: Mapping[str, Any]) -> str:
    return json.dumps([sample["question"], sample.get("expected", "")], sort_keys=True)


def metric_difference(metric: str, values: tuple[float, float], found: Sequence[Pair], whole: bool) -> Interval | None:
    """Of B less A of a metric that is the mean of something in the samples, or a power of e of one; None where it is neither.

    Which it is is not asked of names: it is what comes to `values` in both runs.

    Args:
        whole: whether `found` are all rows of both runs. A difference of other rows is not that of the metric.
    """
    if not found or not whole:
        return None
    for field in _numbers(found):
        columns = [[float(pair[at][field]) for pair in found] for at in (0, 1)]
        if all(isinstance(pair[at][field], bool) for pair in found for at in (0, 1)) and _means(columns, values):
            return share_difference([bool(value) for value in columns[0]], [bool(value) for value in columns[1]])
        for weights in _weights(found):
            for of in (float, _exp):
                if _means(columns, values, weights, of):
                    return mean_difference(columns[0], columns[1], weights, of)
    return None


def metric_interval(value: float, found: Sequence[Mapping[str, Any]]) -> Interval | None:
    """Of a metric that is the mean of something in the samples, or a power of e of one; None where it is neither."""
    twice = [(sample, sample) for sample in found]
    for field in _numbers(twice) if twice else ():
        column = [float(sample[field]) for sample in found]
        if all(isinstance(sample[field], bool) for sample in found) and _means([column, column], (value, value)):
            return share(int(sum(column)), len(column))
        for weights in _weights(twice):
            for of in (float, _exp):
                if _means([column, column], (value, value), weights, of):
                    sure = mean_difference([0.0] * len(column), column, weights, of)
                    start = of(0.0)
                    return Interval(*(bound + start for bound in sure)) if sure else None
    return None


def _numbers(found: Sequence[Pair]) -> Iterator[str]:
    """Names of what is a number in every sample."""
    for name in found[0][0]:
        if all(isinstance(sample.get(name), (int, float)) and math.isfinite(sample[name]) for pair in found for sample in pair):
            yield name


def _weights(found: Sequence[Pair]) -> Iterator[list[tuple[float, float]]]:
    yield [(1.0, 1.0)] * len(found)
    for name in _numbers(found):
        if all(not isinstance(sample[name], bool) and sample[name] > 0 for pair in found for sample in pair):
            yield [(float(pair[0][name]), float(pair[1][name])) for pair in found]


def _means(
    columns: Sequence[Sequence[float]], values: tuple[float, float], weights: Sequence[tuple[float, float]] = (), of: Any = float
) -> bool:  # fmt: skip
    weights = weights or [(1.0, 1.0)] * len(columns[0])
    for at in (0, 1):
        mean = math.fsum(value * weight[at] for value, weight in zip(columns[at], weights, strict=True))
        mean /= math.fsum(weight[at] for weight in weights)
        if abs(of(mean) - values[at]) > _ALIKE * max(1.0, abs(values[at])):
            return False
    return True


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


def differing(found: Sequence[Pair]) -> list[Pair]:
    """Those whose answers differ: first what was right and is not any more, then what is right now, then the others."""
    told = [pair for pair in found if pair[0].get("answer") != pair[1].get("answer") or pair[0].get("right") != pair[1].get("right")]
    return sorted(told, key=lambda pair: (pair[1].get("right", 0) or 0) - (pair[0].get("right", 0) or 0) or 2)
