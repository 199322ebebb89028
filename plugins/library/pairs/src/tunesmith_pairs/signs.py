"""Bad signs in the metrics of answers that are compared. Each rule is stated in the README of this distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from statistics import fmean, variance

STEPS = 10  #: at the beginning, and now
DEVIATIONS = 2.0  # standard errors of a difference of means that are no chance
EXPLAINED = 0.8  # correlation from which on length alone tells which answer is preferred

TOGETHER = (
    "the chosen answers become less likely together with the rejected ones: the margin grows because the rejected ones fall faster. "
    "A smaller learning rate, a larger beta or an added `sft` loss holds them"
)
LONGER = "the margin is explained by length: in nearly all pairs the longer answer has the higher reward"
SHORTER = "the margin is explained by length: in nearly all pairs the shorter answer has the higher reward"


def signs(history: Sequence[Mapping[str, float]]) -> list[str]:
    """What is to be said of the metrics of all steps so far; nothing before there are twice `STEPS`."""
    if len(history) < 2 * STEPS:
        return []
    first, last = list(islice(history, STEPS)), history[-STEPS:]
    falls = {side: _falls(first, last, f"rewards/{side}") for side in ("chosen", "rejected")}
    found = [TOGETHER] if all(falls.values()) else []
    correlations = [point["length/correlation"] for point in last if "length/correlation" in point]
    if len(correlations) > STEPS // 2 and abs(mean := fmean(correlations)) >= EXPLAINED:
        found.append(LONGER if mean > 0 else SHORTER)
    return found


def _falls(first: Sequence[Mapping[str, float]], last: Sequence[Mapping[str, float]], name: str) -> bool:
    """Whether it is lower now than at the beginning, by more than chance."""
    before, now = ([point[name] for point in points if name in point] for points in (first, last))
    if min(len(before), len(now)) < 2:
        return False
    error = (variance(before) / len(before) + variance(now) / len(now)) ** 0.5
    return fmean(before) - fmean(now) > DEVIATIONS * error
