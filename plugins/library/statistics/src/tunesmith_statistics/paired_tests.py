"""Whether two models that were asked the same rows differ: p values of paired tests, which see what unpaired ones don't.

Shares: McNemar's test (1947) in its exact form, which counts the rows that one model alone has right and holds for few rows, too. Other
means: signs of the rows' differences drawn anew (Fisher's randomization test, 1935).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

DRAWS = 2_000
_SEED = 0


@dataclass(frozen=True)
class Disagreement:
    """Args:
    only_before: rows that the first model alone has right.
    only_after: rows that the second model alone has right.
    p: how often chance alone would part them so unevenly, or more.
    """

    only_before: int
    only_after: int
    p: float


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> Disagreement:
    """Row by row the same questions; two-sided, from the binomial distribution itself."""
    pairs = list(zip(before, after, strict=True))
    lost, won = pairs.count((True, False)), pairs.count((False, True))
    count = lost + won
    tail = math.fsum(math.exp(_log_choose(count, at) - count * math.log(2)) for at in range(min(lost, won) + 1))
    return Disagreement(lost, won, min(1.0, 2 * tail))


def sign_flips(before: Sequence[float], after: Sequence[float]) -> float:
    """The p value of the mean difference, two-sided: of `DRAWS` draws of signs for the rows' differences, drawn alike each time, the share
    with a mean as far from 0; 1 where no row differs."""
    differences = [two - one for one, two in zip(before, after, strict=True) if two != one]
    if not differences:
        return 1.0
    found = abs(math.fsum(differences)) * (1 - 1e-12)
    drawn = random.Random(_SEED)
    beyond = 0
    for _ in range(DRAWS):
        signs = drawn.getrandbits(len(differences))
        beyond += abs(math.fsum(-one if signs >> at & 1 else one for at, one in enumerate(differences))) >= found
    return (beyond + 1) / (DRAWS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted for how many tests were made, in their order: those at most 0.05 hold a false one in 1 of 20 such families (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted, most = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        most = max(most, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = most
    return adjusted


def _log_choose(count: int, at: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(at + 1) - math.lgamma(count - at + 1)
