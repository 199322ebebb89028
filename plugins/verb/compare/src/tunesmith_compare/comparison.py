"""Results that may be compared, each model beside a base: metrics with intervals, and whether they differ beyond chance."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tunesmith_cli.api import metric_difference, metric_interval, metric_p, sample_pairs
from tunesmith_compare.result import Identity, Model, Result
from tunesmith_statistics import Interval, holm

LEVEL = 0.05  # of the tests of all models together
BETTER, WORSE, ALIKE, UNKNOWN = "better", "worse", "within chance", ""
COUNTS = ("scored", "failed", "truncated", "unparsed")


@dataclass(frozen=True)
class Standing:
    """How a model does by a metric, and beside the base.

    Args:
        interval: 95 % of the value; None where nothing is known of it.
        difference: of the value less the base's, from the rows that both have scored; None where it does not follow from rows.
        p: of the paired test, adjusted for all models that are compared with the base (Holm 1979); None where there is no test.
        rows: how many rows the difference is of.
        verdict: better, worse, within chance; empty for the base, and where nobody can tell.
    """

    model: str
    value: float
    interval: Interval | None = None
    difference: Interval | None = None
    p: float | None = None
    rows: int = 0
    verdict: str = UNKNOWN


class Comparison:
    """Models that the same evaluator asked the same rows in the same way.

    Args:
        results: label of a model -> what was measured of it.
        base: the label of the one that the others are compared with; the first where it is not among them.
    """

    def __init__(self, identity: Identity, results: Mapping[str, Result], base: str = "") -> None:
        self.identity, self.results = identity, dict(results)
        self.base = base if base in results else next(iter(results))
        self._standings: dict[tuple[str, str], list[Standing]] = {}

    @property
    def evaluator(self) -> str:
        return self.first.evaluator

    @property
    def first(self) -> Result:
        return next(iter(self.results.values()))

    @cached_property
    def metrics(self) -> list[str]:
        """Those that can be judged, the main one first; all where the evaluator says of none what is better."""
        return self.first.judged or [name for name in self.first.metrics if name not in COUNTS]

    @property
    def rows(self) -> int:
        """How many the evaluator was asked, as far as it says."""
        return max((len(one.samples) or sum(self.counts(label).values()) for label, one in self.results.items()), default=0)

    def better(self, metric: str) -> str:
        """``higher``, ``lower`` or nothing."""
        return str(self.first.declared.get(metric, {}).get("better", ""))

    def counts(self, label: str) -> dict[str, int]:
        """Of a model: how many rows were scored, failed, truncated and unparsed; nothing where the evaluator does not count them."""
        metrics = self.results[label].metrics
        return {name: int(metrics[name]) for name in COUNTS if name in metrics}

    def standings(self, metric: str, base: str = "") -> list[Standing]:
        """Of each model that has the metric, in their order."""
        base = base or self.base
        if (metric, base) not in self._standings:
            self._standings[metric, base] = self._made(metric, base)
        return self._standings[metric, base]

    def ranking(self, metric: str) -> list[Standing]:
        """The best first, each beside it."""
        sign = -1 if self.better(metric) == "higher" else 1
        order = sorted(
            (label for label in self.results if metric in self.results[label].metrics),
            key=lambda label: sign * self.results[label].metrics[metric],
        )
        return sorted(self.standings(metric, order[0]), key=lambda one: order.index(one.model)) if order else []

    def _made(self, metric: str, base: str) -> list[Standing]:
        found = [self._standing(label, metric, base) for label, one in self.results.items() if metric in one.metrics]
        tested = [one for one in found if one.p is not None]
        adjusted = dict(zip((one.model for one in tested), holm([one.p for one in tested if one.p is not None]), strict=True))
        return [self._judged(dataclasses.replace(one, p=adjusted.get(one.model)), metric) for one in found]

    def _standing(self, label: str, metric: str, base: str) -> Standing:
        result = self.results[label]
        value = result.metrics[metric]
        sure = _own_interval(result, metric)
        if label == base or metric not in self.results[base].metrics:
            return Standing(label, value, sure)
        before = self.results[base]
        values = (before.metrics[metric], value)
        pairs = sample_pairs(before.samples, result.samples)
        whole = len(pairs) == len(before.samples) == len(result.samples) > 0
        difference = metric_difference(metric, values, pairs, whole)
        rows = sum(not any("not_scored" in sample for sample in pair) for pair in pairs) if difference else 0
        return Standing(label, value, sure, difference, metric_p(values, pairs, whole) if difference else None, rows)

    def _judged(self, one: Standing, metric: str) -> Standing:
        better = self.better(metric)
        if one.difference is None or not better:
            return one
        sure = one.p <= LEVEL if one.p is not None else one.difference.certain
        good = (one.difference.value > 0) == (better == "higher")
        return dataclasses.replace(one, verdict=(BETTER if good else WORSE) if sure else ALIKE)


def comparisons(results: Iterable[Result], base: str = "") -> list[Comparison]:
    """One for each evaluator and way of asking; of the same model measured twice in the same way the first counts.

    Args:
        results: those that count first come first.
    """
    found = list(results)
    names = labels(one.model for one in found)
    groups: dict[Identity, dict[str, Result]] = {}
    for one in found:
        groups.setdefault(one.identity, {}).setdefault(names[_key(one.model)], one)
    return [Comparison(identity, group, base) for identity, group in groups.items()]


def labels(models: Iterable[Model]) -> dict[tuple[str, str], str]:
    """A name for each model: its own; with its run where several have the same one."""
    kept: dict[tuple[str, str], Model] = {}
    for model in models:
        kept.setdefault(_key(model), model)
    own = {key: model.name + (f"/{model.adapter}" if model.adapter else "") for key, model in kept.items()}
    times = Counter(own.values())
    return {key: own[key] if times[own[key]] == 1 else f"{own[key]} ({model.run})" for key, model in kept.items()}


def label_of(model: Model, names: Mapping[tuple[str, str], str]) -> str:
    return names[_key(model)]


def not_comparable(found: Sequence[Comparison]) -> list[tuple[Comparison, Comparison, list[tuple[str, str, str]]]]:
    """Of each evaluator that was asked in several ways: the first way with each other one, and what differs."""
    told = []
    for at, one in enumerate(found):
        first = next(other for other in found if other.evaluator == one.evaluator)
        if first is not found[at]:
            told.append((first, one, first.identity.differences(one.identity)))
    return told


def _own_interval(result: Result, metric: str) -> Interval | None:
    value, bounds = result.metrics[metric], [result.metrics.get(f"{metric}/{end}") for end in ("low", "high")]
    if bounds[0] is not None and bounds[1] is not None:
        return Interval(value, bounds[0], bounds[1])
    return metric_interval(value, result.samples) if result.samples else None


def _key(model: Model) -> tuple[str, str]:
    return model.key, model.adapter
