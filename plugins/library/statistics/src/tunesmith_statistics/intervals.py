"""How sure a figure is that was measured on rows: 95 % intervals, of one figure and of the difference of two on the same rows.

Shares have Wilson's interval (1927), and differences of shares on the same rows Newcombe's (1998, method 10), which keep their promise
where few rows are there or all are right; other means have percentiles of the bootstrap over rows (Efron 1979), drawn alike each time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

Z = 1.959964  # 95 %
DRAWS, ROWS = 1000, 5  # of the bootstrap; with fewer rows it says nothing
_SEED = 0


class Interval(NamedTuple):
    """What was measured, and the bounds between which it lies in 19 of 20 such samples of rows."""

    value: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Of a difference: whether it is one beyond chance."""
        return self.low > 0 or self.high < 0


def share(right: int, count: int) -> Interval:
    """Of `count` rows, `right` ones; Wilson's score interval."""
    if not count:
        return Interval(math.nan, 0.0, 1.0)
    p, scale = right / count, 1 + Z * Z / count
    middle = (p + Z * Z / (2 * count)) / scale
    reach = Z / scale * math.sqrt(p * (1 - p) / count + Z * Z / (4 * count * count))
    return Interval(p, max(0.0, middle - reach), min(1.0, middle + reach))


def share_difference(before: Sequence[bool], after: Sequence[bool]) -> Interval:
    """The share of `after` less that of `before`, row by row the same questions (Newcombe, Statistics in Medicine 17, method 10)."""
    pairs = list(zip(after, before, strict=True))
    both, only, other, none = (pairs.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False)))
    count = len(pairs)
    first, second = share(both + only, count), share(both + other, count)
    margins = (both + only) * (other + none) * (both + other) * (only + none)
    together = both * none - only * other
    corrected = together if together < 0 else max(0.0, together - count / 2)
    phi = corrected / math.sqrt(margins) if margins else 0.0
    below1, above1 = first.value - first.low, first.high - first.value
    below2, above2 = second.value - second.low, second.high - second.value
    found = first.value - second.value
    low = found - math.sqrt(max(0.0, below1**2 - 2 * phi * below1 * above2 + above2**2))
    high = found + math.sqrt(max(0.0, above1**2 - 2 * phi * above1 * below2 + below2**2))
    return Interval(found, low, high)


def figure(values: Sequence[float]) -> Interval | None:
    """Of the rows' values: a share where each is 0 or 1, else their mean."""
    return share(int(sum(values)), len(values)) if all(one in (0, 1) for one in values) else mean(values)


def mean(values: Sequence[float]) -> Interval | None:
    """Of the rows' values; percentiles of the bootstrap. None with fewer rows than `ROWS`."""
    return mean_difference([0.0] * len(values), values)


def mean_difference(
    before: Sequence[float], after: Sequence[float], weights: Sequence[tuple[float, float]] = (),
    of: Callable[[float], float] = float,
) -> Interval | None:  # fmt: skip
    """`of` the mean of `after` less `of` the mean of `before`, row by row the same questions; None with fewer rows than `ROWS`.

    Args:
        weights: of each row, before and after: what it counts for in its mean. Default: all the same.
    """
    rows = list(zip(before, after, weights or [(1.0, 1.0)] * len(before), strict=True))
    if len(rows) < ROWS:
        return None

    def difference(some: Sequence[tuple[float, float, tuple[float, float]]]) -> float:
        means = [math.fsum(row[at] * row[2][at] for row in some) / math.fsum(row[2][at] for row in some) for at in (0, 1)]
        return of(means[1]) - of(means[0])

    drawn = random.Random(_SEED)
    found = sorted(difference(drawn.choices(rows, k=len(rows))) for _ in range(DRAWS))
    edge = round(DRAWS * 0.025)
    return Interval(difference(rows), found[edge], found[DRAWS - edge - 1])
