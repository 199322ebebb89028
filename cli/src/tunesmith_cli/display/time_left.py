"""How fast a task goes, and how long it will take."""

from __future__ import annotations

from collections import deque

from tunesmith_cli.display.number_format import amount, duration, ratio

_WINDOW = 30.0  # seconds whose rate counts: long enough to be calm, short enough to follow a change
_NEVER = 1e8  # seconds: an estimate of years says nothing


class Pace:
    """One task's progress. Times are seconds of any steady clock."""

    def __init__(self, unit: str = "") -> None:
        self.unit, self.done, self.total = unit, 0.0, None
        self._seen: deque[tuple[float, float]] = deque()

    done: float
    total: float | None

    def update(self, done: float, total: float | None, now: float) -> None:
        if self._seen and done < self.done:
            self._seen.clear()  # it began anew
        self.done, self.total = done, total
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW and len(self._seen) > 2:
            self._seen.popleft()

    @property
    def rate(self) -> float | None:
        """Units per second; None before two reports, or if that is next to nothing."""
        (first, start), (last, end) = self._seen[0], self._seen[-1]
        return ((end - start) / (last - first) or None) if last > first and end > start else None

    @property
    def left(self) -> float | None:
        """Seconds to go, if that can be known."""
        if not self.rate or not self.total or self.done > self.total:
            return None
        left = (self.total - self.done) / self.rate
        return left if left < _NEVER else None

    @property
    def text(self) -> str:
        """``120/350 rows, 12 rows/s, 19 s left``; of a wait, how long it has been: ``52 s``."""
        return self._text(rate=True)

    @property
    def brief(self) -> str:
        """`text` without the rate."""
        return self._text(rate=False)

    def _text(self, *, rate: bool) -> str:
        if self.unit == "s":
            return duration(self.done)
        parts = [ratio(self.done, self.total, self.unit)]
        if self.rate and rate:
            parts.append(amount(float(f"{self.rate:.3g}"), self.unit) + "/s")
        if self.left:
            parts.append(f"{duration(self.left)} left")
        return ", ".join(parts)
