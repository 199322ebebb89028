"""A series of losses, and what can be said of it against the noise of its batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

FEWEST = 5  # points below which nothing is said of a course
_THINNED = 200  # points of which a trend is reckoned; more are put together first
_SHARE = 5  # a fifth of the points is a beginning, or an end


def median(values: Iterable[float]) -> float:
    """The middle one; of two in the middle, their mean. Not `statistics.median`, whose import takes longer than all that is reckoned here,
    at the end of each run."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@dataclass(frozen=True)
class Curve:
    """Points (optimizer step, loss), in their order, all finite."""

    points: Sequence[tuple[int, float]]

    @classmethod
    def of(cls, points: Sequence[tuple[int, float]]) -> Curve:
        return cls([(at, value) for at, value in sorted(points) if math.isfinite(value)])

    def __len__(self) -> int:
        return len(self.points)

    @property
    def values(self) -> list[float]:
        return [value for _, value in self.points]

    @property
    def width(self) -> int:
        """Points of a beginning, of an end, and of what is smoothed together."""
        return min(max(3, len(self) // _SHARE), max(1, len(self) // 2))

    @cached_property
    def first(self) -> float:
        """The median of the beginning."""
        return median(self.values[: self.width])

    @cached_property
    def last(self) -> float:
        """The median of the end."""
        return median(self.values[-self.width :])

    @cached_property
    def lowest(self) -> tuple[int, float]:
        """The smoothed curve's lowest value, and after which step it was."""
        width, values = self.width, self.values
        windows = [(median(values[at : at + width]), self.points[at + width // 2][0]) for at in range(len(values) - width + 1)]
        value, step = min(windows)
        return step, value

    @cached_property
    def noise(self) -> float:
        """How much neighbours differ: the median of the differences between points that follow one another, as a standard deviation."""
        values = self.values
        steps = [abs(after - before) for before, after in pairwise(values)]
        return median(steps) / 0.954 if steps else 0.0  # the median of |x - y| of two normal numbers is 0.954 of their deviation

    def half(self) -> Curve:
        """The second half."""
        return Curve(self.points[len(self) // 2 :])

    def trend(self) -> float:
        """Below 0: it falls. Mann's and Kendall's test (Mann 1945; Kendall 1975): a standard normal number where there is no trend."""
        values = _thinned(self.values)
        count = len(values)
        if count < FEWEST:
            return 0.0
        total = sum((after > before) - (after < before) for at, before in enumerate(values) for after in values[at + 1 :])
        spread = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
        return (total - (total > 0) + (total < 0)) / spread


def _thinned(values: Sequence[float]) -> list[float]:
    if len(values) <= _THINNED:
        return list(values)
    edges = [round(place * len(values) / _THINNED) for place in range(_THINNED + 1)]
    return [median(values[begin:end]) for begin, end in pairwise(edges)]
