"""Whether a series rises or falls: the test of Mann and Kendall.

H. B. Mann, "Nonparametric tests against trend", Econometrica 13 (1945); M. G. Kendall, "Rank Correlation Methods" (1975), for the variance
with ties.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple


class Trend(NamedTuple):
    """
    Args:
        s: pairs in which the later value is larger, less those in which it is smaller.
        p: two-sided, by the normal approximation with continuity correction; 1 for fewer than four values or all equal ones.
    """

    s: int
    p: float


def mann_kendall(values: Sequence[float]) -> Trend:
    """The trend of a series, in the order given."""
    values = [float(value) for value in values]
    count = len(values)
    s = sum((later > value) - (later < value) for at, value in enumerate(values) for later in values[at + 1 :])
    ties = sum(many * (many - 1) * (2 * many + 5) for many in Counter(values).values())
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18
    if count < 4 or variance <= 0 or s == 0:
        return Trend(s, 1.0)
    z = (abs(s) - 1) / math.sqrt(variance)
    return Trend(s, 2 * (1 - NormalDist().cdf(z)))


def batch_means(values: Sequence[float], batches: int) -> list[float]:
    """Means of so many stretches of equal length; what is left over at the end is left out. Means depend less on their neighbours."""
    size = len(values) // batches
    return [sum(values[at * size : (at + 1) * size]) / size for at in range(batches)] if size else list(values)
