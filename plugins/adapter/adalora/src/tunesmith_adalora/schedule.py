"""From shares of the training to PEFT's numbers of steps."""

from __future__ import annotations


def phases(total: int, warmup: float, settle: float) -> tuple[int, int]:
    """(steps before the first rank is taken away, steps after the last one) of `total`; between the two at least one is left."""
    return int(total * warmup + 1e-9), int(total * settle + 1e-9)
