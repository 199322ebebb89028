"""How far a figure from several runs may be off, and whether two such figures differ.

Requests of one run depend on each other, runs do not: the bootstrap draws whole runs, as A. C. Davison and D. V. Hinkley advise for
nested data ("Bootstrap Methods and their Application", 1997, section 3.8). Of n runs it draws n - 1 each time, which makes the variance
unbiased for few runs (J. N. K. Rao and C. F. J. Wu, "Resampling inference with complex survey data", 1988). Three runs are too few for
percentiles of the bootstrap, so its standard error goes into an interval of Student's t whose degrees of freedom are those of the runs
(B. L. Welch, 1947), as T. C. Hesterberg advises ("What teachers should know about the bootstrap", 2015). More runs, not more requests,
make it narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tunesmith_bench.statistics.student_t import critical, two_sided_p

DRAWS = 1000
LEVEL = 0.05
Statistic = Callable[[np.ndarray], float]


class Estimate(NamedTuple):
    """A figure over all runs, its standard error, and the runs behind it."""

    value: float
    error: float
    runs: int


class Difference(NamedTuple):
    """B less A: the value, its 95 % interval, and the two-sided p-value of no difference."""

    value: float
    low: float
    high: float
    p: float


def estimate(runs: Sequence[Sequence[float]], statistic: Statistic, seed: int = 0) -> Estimate:
    """
    Args:
        runs: values of the requests of each run; at least two runs.
        statistic: of all values together.
    """
    arrays = [np.asarray(run, float) for run in runs]
    draws = np.sort(np.random.default_rng(seed).integers(len(arrays), size=(DRAWS, len(arrays) - 1)), axis=1)
    different, often = np.unique(draws, axis=0, return_counts=True)
    drawn = np.repeat([statistic(np.concatenate([arrays[at] for at in one])) for one in different], often)
    return Estimate(statistic(np.concatenate(arrays)), float(np.std(drawn, ddof=1)), len(arrays))


def of_run_figures(values: Sequence[float]) -> Estimate:
    """The same of a figure that each run gives once, as tokens per second: mean and standard error."""
    array = np.asarray(values, float)
    return Estimate(float(array.mean()), float(array.std(ddof=1) / math.sqrt(len(array))), len(array))


def difference(one: Estimate, other: Estimate) -> Difference:
    """Whether `other` differs from `one`."""
    value, error = other.value - one.value, math.hypot(one.error, other.error)
    if error == 0:
        return Difference(value, value, value, float(value == 0))
    freedom = error**4 / sum(e.error**4 / (e.runs - 1) for e in (one, other))
    reach = critical(freedom) * error
    return Difference(value, value - reach, value + reach, two_sided_p(value / error, freedom))


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected for their number (S. Holm, "A simple sequentially rejective multiple test procedure", 1979)."""
    order = sorted(range(len(p)), key=lambda at: p[at])
    out, largest = [0.0] * len(p), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[at]))
        out[at] = largest
    return out
