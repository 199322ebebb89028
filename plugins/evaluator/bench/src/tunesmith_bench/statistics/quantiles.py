"""Percentiles, and how many values it takes to speak of one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

CONFIDENCE = 0.95


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies, interpolated (type 7 of Hyndman and Fan, "Sample quantiles", 1996, as numpy's default)."""
    return float(np.quantile(np.asarray(values, float), share))


def least_values(share: float) -> int:
    """Values that it takes for the largest of them to lie above the quantile with 95 % confidence: the smallest n with share^n <= 0.05.

    With fewer, nothing that was seen bounds the quantile from above (S. S. Wilks, "Determination of sample sizes for setting tolerance
    limits", 1941): 5 for the median, 29 for p90, 59 for p95, 299 for p99.
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(share))


def known_quantile(values: Sequence[float], share: float) -> float | None:
    """The quantile, or None where there are too few values for it."""
    return quantile(values, share) if len(values) >= least_values(share) else None
