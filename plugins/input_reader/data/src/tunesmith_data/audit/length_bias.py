"""Whether the chosen answers of pairs are known by their length alone: a model may then learn length, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tunesmith_data.audit.finding import Finding

LEAST = 0.55  # accuracy that length alone may reach for certain
_Z = 1.96  # standard deviations within which 95 of 100 lie


def length_bias(lengths: Sequence[tuple[int, int]], unit: str) -> Finding:
    """
    Args:
        lengths: of the chosen and the rejected answer, for each pair.
        unit: what is counted, "tokens".
    """
    longer = sum(chosen > rejected for chosen, rejected in lengths)
    equal = sum(chosen == rejected for chosen, rejected in lengths)
    count = max(1, len(lengths))
    right = max(longer, len(lengths) - longer - equal) + equal / 2  # by chance, where both are as long
    which = "longer" if longer * 2 >= len(lengths) - equal else "shorter"
    means = [sum(pair[side] for pair in lengths) / count for side in (0, 1)]
    figures = {"accuracy": right / count, "for_certain": lower_bound(right, len(lengths)), "chosen": means[0], "rejected": means[1]}
    told = (
        f"the {which} answer is the chosen one in {figures['accuracy']:.0%} (at least {figures['for_certain']:.0%} for certain); "
        f"on average {means[0]:.0f} and {means[1]:.0f} {unit}"
    )
    rule = f"length alone tells the chosen one in more than {LEAST:.0%} for certain"
    return Finding("length-bias", "chosen answer longer", longer, len(lengths), (), told, figures, rule, figures["for_certain"] > LEAST)


def lower_bound(right: float, count: int) -> float:
    """The lower end of Wilson's interval of a share, with 95 % confidence (Wilson 1927)."""
    if not count:
        return 0.0
    share = right / count
    middle = share + _Z**2 / (2 * count)
    width = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return (middle - width) / (1 + _Z**2 / count)
