"""Student's t distribution, with any positive degrees of freedom."""

from __future__ import annotations

import math

_TINY, _STEPS = 1e-300, 500


def two_sided_p(t: float, freedom: float) -> float:
    """The probability of a value at least as far from 0 as `t`: I_x(freedom / 2, 1 / 2) with x = freedom / (freedom + t^2)."""
    if not math.isfinite(t):
        return 0.0
    share = t * t / (freedom + t * t)
    if share < 0.5:  # one minus a small number keeps more of its digits
        return 1 - _incomplete_beta(share, 0.5, freedom / 2)
    return _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def critical(freedom: float, level: float = 0.05) -> float:
    """The value that is exceeded on either side with probability `level` altogether, by bisection."""
    low, high = 0.0, 1.0
    while two_sided_p(high, freedom) > level:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, freedom) > level else (low, middle)
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularized, by Lentz's continued fraction (Press et al., "Numerical Recipes", 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        for term in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            value *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
