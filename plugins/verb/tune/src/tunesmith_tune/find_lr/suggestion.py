"""From the losses of a rising rate to a rate.

L. N. Smith, "Cyclical learning rates for training neural networks", arXiv:1506.01186, section 3.3: the rate rises while the loss is
watched. As in fastai's `lr_find`, the losses are smoothed by an exponential mean that is corrected for its beginning, and what is suggested
is the rate at which they fall fastest, per power of ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

SMOOTH = 0.85  # weight of what came before in the mean
TOO_HIGH = 1.3  # times the least loss, from where on it counts as rising again
SKIPPED = 3  # points at the beginning, of which the mean knows too little
FEWEST = 3 * SKIPPED  #: points of which something can be said


class Suggestion(NamedTuple):
    """
    Args:
        rate: at which the loss fell fastest; None where it did not fall.
        least: rate at the least loss: from about there on it learns nothing more.
        too_high: the first rate after it at which the loss was `TOO_HIGH` times as high; None where it never was.
    """

    rate: float | None
    least: float
    too_high: float | None


def smoothed(losses: Sequence[float]) -> list[float]:
    mean, found = 0.0, []
    for number, loss in enumerate(losses, 1):
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        found.append(mean / (1 - SMOOTH**number))
    return found


def has_diverged(losses: Sequence[float], times: float = 4.0) -> bool:
    """Whether the newest loss is no number, or so many times the least: the test may end."""
    if not math.isfinite(losses[-1]):
        return True
    even = smoothed(losses)
    return len(even) > SKIPPED and even[-1] > times * min(even)


def suggestion(rates: Sequence[float], losses: Sequence[float]) -> Suggestion | None:
    """None with too few points to say anything."""
    finite = [(rate, loss) for rate, loss in zip(rates, losses, strict=True) if math.isfinite(loss) and rate > 0]
    if len(finite) < FEWEST:
        return None
    even = smoothed([loss for _, loss in finite])
    places = [math.log10(rate) for rate, _ in finite]
    bottom = min(range(SKIPPED, len(even)), key=even.__getitem__)
    high = next((finite[at][0] for at in range(bottom, len(even)) if even[at] > TOO_HIGH * even[bottom]), None)
    slopes = {
        at: (even[at + 1] - even[at - 1]) / (places[at + 1] - places[at - 1])
        for at in range(SKIPPED, min(bottom, len(even) - 2) + 1)
    }  # fmt: skip
    at = min(slopes, key=slopes.__getitem__, default=None)
    falls = at is not None and slopes[at] < 0 and even[bottom] < even[SKIPPED]
    return Suggestion(finite[at][0] if falls and at is not None else None, finite[bottom][0], high)
