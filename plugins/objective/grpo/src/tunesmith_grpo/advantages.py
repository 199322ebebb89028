"""What each completion's reward is above what was to be expected.

    grpo                 r - mean of the prompt's rewards                  Shao et al., arXiv:2402.03300, section 4.1.2
    rloo                 r - mean of the prompt's other rewards            Ahmadian et al., arXiv:2402.14740, section 3.2
    reinforce_plus_plus  r - mean of the collection's                      Hu et al., arXiv:2501.03262

divided by a standard deviation (with the divisor n - 1, as TRL has it) plus `EPS`, or not at all (arXiv:2503.20783). A reward of None is
in no mean and has no advantage.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

EPS = 1e-4
Rewards = Sequence[Sequence[float | None]]


def advantages(rewards: Rewards, estimator: str, scale: str) -> list[list[float | None]]:
    """
    Args:
        rewards: of each prompt's completions, of a whole collection.
    """
    every = [reward for group in rewards for reward in group if reward is not None]
    over_batch = fmean(every) if every else 0.0
    found = [_of_group(group, estimator, over_batch, _deviation(group) if scale == "group" else None) for group in rewards]
    if scale != "batch":
        return found
    divisor = _deviation(every) + EPS
    return [[None if value is None else value / divisor for value in group] for group in found]


def _of_group(group: Sequence[float | None], estimator: str, over_batch: float, deviation: float | None) -> list[float | None]:
    known = [reward for reward in group if reward is not None]
    divisor = 1.0 if deviation is None else deviation + EPS
    return [None if reward is None else (reward - _baseline(reward, known, estimator, over_batch)) / divisor for reward in group]


def _baseline(reward: float, known: Sequence[float], estimator: str, over_batch: float) -> float:
    if estimator == "reinforce_plus_plus":
        return over_batch
    if estimator == "rloo":
        return (sum(known) - reward) / (len(known) - 1) if len(known) > 1 else reward
    return fmean(known)


def _deviation(rewards: Sequence[float | None]) -> float:
    known = [reward for reward in rewards if reward is not None]
    return stdev(known) if len(known) > 1 else 0.0
