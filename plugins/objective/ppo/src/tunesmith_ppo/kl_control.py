"""The coefficient of the KL penalty, adapted from collection to collection (Ziegler et al., arXiv:1909.08593, section 2.2)."""

from __future__ import annotations

_LARGEST = 0.2  # of an error that counts, as a share of the target


def adapted(coefficient: float, divergence: float, target: float, completions: int, horizon: int) -> float:
    """What it is after completions that were so far from the reference.

    Args:
        divergence, target: of a completion, in nats.
        horizon: completions in which it changes by at most `_LARGEST`.
    """
    error = min(max(divergence / target - 1, -_LARGEST), _LARGEST)
    return coefficient * (1 + error * completions / horizon)
