"""Rows that both runs were asked, side by side, and how sure the difference of a metric is that follows from them."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith_statistics import Interval, mcnemar, mean_difference, share, share_difference, sign_flips

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


@dataclass(frozen=True)
class _Column:
    """What a metric is the mean of, in the rows that both runs have scored.

    Args:
        rows: of each row, before and after.
        weights: of each row, before and after.
        of: what is taken of the mean.
        binary: whether a row is right or wrong, and nothing between.
    """

    rows: Sequence[tuple[float, float]]
    weights: Sequence[tuple[float, float]]
    of: Any
    binary: bool


def metric_difference(metric: str, values: tuple[float, float], found: Sequence[Pair], whole: bool) -> Interval | None:
    """Of B less A of a metric that is the mean of something in the samples, or a power of e of one; None where it is neither.

    Which it is is not asked of names: it is what comes to `values` in both runs. A row that either has not scored is left out.

    Args:
        whole: whether `found` are all rows of both runs. A difference of other rows is not that of the metric.
    """
    column = _column(values, found) if whole else None
    if column is None:
        return None
    before, after = zip(*column.rows, strict=True)
    if column.binary:
        return share_difference([bool(value) for value in before], [bool(value) for value in after])
    return mean_difference(before, after, column.weights, column.of)


def metric_p(values: tuple[float, float], found: Sequence[Pair], whole: bool) -> float | None:
    """How often chance alone would part the two so far: McNemar's exact test of shares, random signs for other means; None where it is
    neither, or rows count differently in it."""
    column = _column(values, found) if whole else None
    if column is None or column.of is not float or len({*column.weights}) > 1:
        return None
    before, after = zip(*column.rows, strict=True)
    if column.binary:
        return mcnemar([bool(value) for value in before], [bool(value) for value in after]).p
    return sign_flips(before, after)


def _column(values: tuple[float, float], found: Sequence[Pair]) -> _Column | None:
    """Each run's own scored rows come to its value."""
    sides = [[pair[at] for pair in found if "not_scored" not in pair[at]] for at in (0, 1)]
    both = [pair for pair in found if not any("not_scored" in sample for sample in pair)]
    if not both:
        return None
    every = [(sample, sample) for side in sides for sample in side]
    for field in _numbers(every):
        binary = all(isinstance(sample[field], bool) for sample, _ in every)
        for name in ("", *_positive(every)):
            for of in (float,) if binary else (float, _exp):
                if all(_comes_to(value, side, field, name, of) for value, side in zip(values, sides, strict=True)):
                    rows = [(float(pair[0][field]), float(pair[1][field])) for pair in both]
                    weights = [(float(pair[0][name]), float(pair[1][name])) if name else (1.0, 1.0) for pair in both]
                    return _Column(rows, weights, of, binary and not name)
    return None


def _comes_to(value: float, side: Sequence[Mapping[str, Any]], field: str, weight: str, of: Any) -> bool:
    total = math.fsum(sample[weight] if weight else 1.0 for sample in side)
    mean = math.fsum(sample[field] * (sample[weight] if weight else 1.0) for sample in side) / total
    return bool(abs(of(mean) - value) <= _ALIKE * max(1.0, abs(value)))


def _positive(found: Sequence[Pair]) -> Iterator[str]:
    """Names of numbers that may be weights."""
    for name in _numbers(found):
        if all(not isinstance(sample[name], bool) and sample[name] > 0 for pair in found for sample in pair):
            yield name


def metric_interval(value: float, found: Sequence[Mapping[str, Any]]) -> Interval | None:
    """Of a metric that is the mean of something in the samples, or a power of e of one; None where it is neither."""
    column = _column((value, value), [(sample, sample) for sample in found])
    if column is None:
        return None
    rows = [before for before, _ in column.rows]
    if column.binary:
        return share(int(sum(rows)), len(rows))
    sure = mean_difference([0.0] * len(rows), rows, column.weights, column.of)
    start = column.of(0.0)
    return Interval(*(bound + start for bound in sure)) if sure else None


def _numbers(found: Sequence[Pair]) -> Iterator[str]:
    """Names of what is a number in every sample."""
    for name in found[0][0]:
        if all(isinstance(sample.get(name), (int, float)) and math.isfinite(sample[name]) for pair in found for sample in pair):
            yield name


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


def differing(found: Sequence[Pair]) -> list[Pair]:
    """Those whose answers differ: first what was right and is not any more, then what is right now, then the others."""
    told = [pair for pair in found if pair[0].get("answer") != pair[1].get("answer") or pair[0].get("right") != pair[1].get("right")]
    return sorted(told, key=lambda pair: (pair[1].get("right", 0) or 0) - (pair[0].get("right", 0) or 0) or 2)
