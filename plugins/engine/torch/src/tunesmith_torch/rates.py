"""The learning rate of each step, as a share of the highest."""

from __future__ import annotations

import math


def rate(schedule: str, step: int, steps: int, warmup: float) -> float:
    """Share of the highest rate at `step` (from 0) of `steps`.

    It rises over ``ceil(warmup * steps)`` steps, the first of which already learns something, then falls to zero along half a cosine
    (Loshchilov and Hutter, arXiv:1608.03983) or a line, or stays.
    """
    rising = math.ceil(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    done = (step - rising) / max(1, steps - rising)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1.0 - done if schedule == "linear" else 1.0
