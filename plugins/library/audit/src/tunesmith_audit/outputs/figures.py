"""Figures of a comparison from what was measured of each conversation, with intervals: a few conversations are a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

NOISE = 12  # digits behind the point of a divergence; what is smaller comes of the order of sums, and may be negative
RESAMPLES, SEED, SHARE = 1000, 0, 0.95
FEWEST_ROWS = 5  # conversations; of fewer no interval is told


def summarized(rows: Sequence[Sequence[float]]) -> dict[str, Any]:
    """
    Args:
        rows: of each conversation: tokens, sum of the divergences in nats, tokens at which the parent is decided, those of them with the
            same next one, tokens with a following one, the sums of their losses by parent and child.

    Returns:
        Figures of all, and ``intervals``: of 95%, by bootstrap over the conversations (Efron and Tibshirani, 1993), the same for the same
        rows.
    """
    sums = np.array(rows, np.float64).reshape(-1, 7)
    figures = _figures(sums.sum(0))
    if len(sums) < FEWEST_ROWS or not np.isfinite(sums).all():
        return figures
    chance = np.random.default_rng(SEED).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES)
    again = [_figures(one) for one in chance @ sums]
    ends = (50 * (1 - SHARE), 50 * (1 + SHARE))
    intervals = {
        name: [float(end) for end in np.percentile([one[name] for one in again], ends)] for name in ("kl", "top1", "perplexity_ratio")
    }
    return {**figures, "intervals": intervals}


def _figures(sums: np.ndarray) -> dict[str, Any]:
    tokens, kl, decided, agree, labels, before, after = (float(one) for one in sums)
    mean = [loss / max(labels, 1) for loss in (before, after)]
    finite = math.isfinite(mean[1])
    return {
        "tokens": int(tokens), "kl": round(kl / max(tokens, 1), NOISE) + 0.0, "top1": agree / decided if decided else 1.0,
        "decided": int(decided), "perplexity_ratio": math.exp(min(mean[1] - mean[0], 700.0)) if finite else math.inf,
        "perplexity": math.exp(min(mean[1], 700.0)) if finite else math.inf,
    }  # fmt: skip
