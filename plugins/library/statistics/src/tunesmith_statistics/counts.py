"""What became of questions, as four numbers, and how sure a share is that comes of those that were scored.

A question that was not scored is no wrong answer: it is counted apart, and where too many are there is no result at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tunesmith.contracts import TunesmithError

Z, POWER = 1.959964, 0.841621  # 5 % that chance looks like a difference, 80 % that one is seen
DISAGREEMENT = 0.5  # share of the questions that two models answer differently, at most: as if they had nothing in common


@dataclass(frozen=True)
class Counts:
    """Args:
    scored: have a score.
    failed: could not be computed: refused, or a number that is none.
    truncated: longer than the model reads, or an answer that was cut off before it could be told.
    unparsed: answered in a way in which nothing is found that could be right or wrong.
    """

    scored: int
    failed: int = 0
    truncated: int = 0
    unparsed: int = 0

    @property
    def all(self) -> int:
        return self.scored + self.failed + self.truncated + self.unparsed

    def metrics(self) -> dict[str, float]:
        told = {"scored": self.scored, "failed": self.failed, "truncated": self.truncated, "unparsed": self.unparsed}
        return {name: float(count) for name, count in told.items()}

    def check(self, most: float) -> None:
        """
        Raises:
            TunesmithError: TS-EVAL-001 where more than this share was not scored.
        """
        missing = self.all - self.scored
        if not self.scored or missing > most * self.all:
            raise TunesmithError(
                "TS-EVAL-001", f"{missing} of {self.all} questions have no score, so there is no result",
                why=f"{self.truncated} are too long or were cut off, {self.failed} have failed, {self.unparsed} have an answer that can't "
                f"be read; setting `max_not_scored` allows {most:.0%}.",
                fix="Raise `max_tokens` or `max_length`, see in the log why others have failed, or allow more with `max_not_scored`.",
            )  # fmt: skip


def smallest_difference(count: int) -> float:
    """Of two models' shares on the same `count` questions: the smallest that is seen with 80 % power at the 5 % level (McNemar, two-sided).

    ``(z_0.975 + z_0.8) * sqrt(d / n)``, d the share of questions that the two answer differently, taken as one half. Models that are alike,
    such as a base and its fine-tuning, differ on fewer, and smaller differences are seen.
    """
    return min(1.0, (Z + POWER) * math.sqrt(DISAGREEMENT / count))
