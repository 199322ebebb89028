"""What each token is worth beyond what was expected of it.

A completion's tokens have the rewards r_t = - kl_coef (KL at t), and its score at the last one. With the values V_t that the head gave
before the first step, and V = 0 after the end (Schulman et al., arXiv:1506.02438, equation 16; arXiv:1707.06347, equation 11):

    delta_t = r_t + gamma V_(t+1) - V_t,     A_t = delta_t + gamma lam A_(t+1),     return_t = A_t + V_t

Rewards may be divided by their standard deviation over all tokens of the collection, and advantages always become (A - mean) / deviation
(Huang et al., arXiv:2403.17031; variances have the divisor n - 1, as TRL's had).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import expm1, fsum, sqrt
from typing import NamedTuple

_EPS = 1e-8  # of a variance
Numbers = Sequence[float]


class TokenGains(NamedTuple):
    """Of each token of a completion."""

    advantages: list[float]
    returns: list[float]


def divergences(policy: Numbers, reference: Numbers, estimator: str) -> list[float]:
    """Of each token, the distance of the model that sampled it from the reference, in nats (k1 and k3 of Schulman's "Approximating KL
    Divergence", 2020); none where nothing was measured of a reference."""
    if estimator == "k1":
        return [own - other for own, other in zip(policy, reference, strict=False)]
    return [expm1(min(other - own, 80.0)) - (other - own) for own, other in zip(policy, reference, strict=False)]


def token_rewards(score: float, distances: Numbers, length: int, kl_coef: float) -> list[float]:
    """The score at the last token, less what each costs."""
    rewards = [-kl_coef * distance for distance in distances] or [0.0] * length
    rewards[-1] += score
    return rewards


def scaled(rewards: Sequence[Numbers]) -> list[list[float]]:
    """Divided by the standard deviation of all of them; their mean stays."""
    mean, deviation = _moments(rewards)
    return [[(value - mean) / deviation + mean for value in own] for own in rewards]


def gains(rewards: Sequence[Numbers], values: Sequence[Numbers], gamma: float, lam: float) -> list[TokenGains]:
    """Of each completion, advantages whitened over all of them.

    Args:
        rewards, values: of each token of each completion.
    """
    plain = [_generalised(own, expected, gamma, lam) for own, expected in zip(rewards, values, strict=True)]
    mean, deviation = _moments(plain)
    return [
        TokenGains([(value - mean) / deviation for value in own], [value + before for value, before in zip(own, expected, strict=True)])
        for own, expected in zip(plain, values, strict=True)
    ]


def _generalised(rewards: Numbers, values: Numbers, gamma: float, lam: float) -> list[float]:
    found, ahead, following = [], 0.0, 0.0
    for reward, value in zip(reversed(rewards), reversed(values), strict=True):
        ahead = reward + gamma * following - value + gamma * lam * ahead
        following = value
        found.append(ahead)
    return found[::-1]


def _moments(values: Sequence[Numbers]) -> tuple[float, float]:
    """Mean and standard deviation of all; 0 and 1 of none, and nothing is divided by the deviation of one alone."""
    flat = [value for own in values for value in own]
    if not flat:
        return 0.0, 1.0
    mean = fsum(flat) / len(flat)
    variance = fsum((value - mean) ** 2 for value in flat) / (len(flat) - 1) if len(flat) > 1 else 1.0
    return mean, sqrt(variance + _EPS)
