"""What comes of scoring: a `Score` per row, and a `Tally` per reward."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WINDOW = 200  #: latest calls of a reward of which the share that failed is taken
_FLOOR = 20  # as many calls at least: one failure of the first three is no share


@dataclass(frozen=True)
class Score:
    """What a row got from all rewards.

    Args:
        total: the sum of weight times value over the rewards that the row is for; None where one of those with a weight other than 0 has
            failed or left it unscored, or where the row is for none. Who trains leaves such a row out; it is never 0.
        parts: reward's name -> its value before the weight; None: unscored or failed. A reward that the row is not for is missing.
        failed: reward's name -> why it gave no number: an exception, no answer in time, NaN. Without those that said None.
    """

    total: float | None
    parts: Mapping[str, float | None]
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def unscored(self) -> tuple[str, ...]:
        """Names of the rewards that said None."""
        return tuple(name for name, value in self.parts.items() if value is None and name not in self.failed)


@dataclass
class Tally:
    """What a reward has done so far.

    Args:
        asked: completions that it was asked about.
        unscored: of these, those that it said None of.
        failed: of these, those of which it gave no number.
        seconds: that its workers took for them, one after the other.
        examples: the first failures, a sentence each, with what they are of.
    """

    asked: int = 0
    unscored: int = 0
    failed: int = 0
    seconds: float = 0.0
    examples: list[str] = field(default_factory=list)
    _latest: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW), repr=False)

    def add(self, value: float | None, failure: str, of: str = "") -> None:
        """
        Args:
            of: what was asked about, as a person finds it in the data.
        """
        self.asked += 1
        self.failed += bool(failure)
        self.unscored += value is None and not failure
        self._latest.append(bool(failure))
        if failure and len(self.examples) < 3:
            self.examples.append(f"{of}: {failure}" if of else failure)

    def beyond(self, share: float) -> bool:
        """Whether more than this share of the latest calls has failed."""
        return sum(self._latest) > share * max(len(self._latest), _FLOOR)

    def to_json(self) -> dict[str, Any]:
        return {"asked": self.asked, "unscored": self.unscored, "failed": self.failed, "seconds": round(self.seconds, 3)}


def number(said: Any) -> tuple[float | None, str]:
    """What a reward has returned, as a number, and what is wrong with it."""
    if said is None:
        return None, ""
    if isinstance(said, str | bytes) or not hasattr(said, "__float__"):
        return None, f"it returned {str(said)[:60]!r}, a {type(said).__name__} and no number"
    try:
        value = float(said)
    except (TypeError, ValueError, RuntimeError) as error:
        return None, f"it returned a {type(said).__name__} that is no number: {error}"
    return (value, "") if math.isfinite(value) else (None, f"it returned {value}")
