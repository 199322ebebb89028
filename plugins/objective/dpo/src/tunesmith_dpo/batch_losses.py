"""Losses that depend on all pairs of a batch. `Gathers.gather` has collected of each: log p of chosen and rejected, then log p_ref of both.

Each gives two numbers a pair, (value, other): the sum of their gradients is the gradient, and the loss is the sum of the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith_dpo.losses import smoothed
from tunesmith_dpo.pair_values import PairValues
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_torch.api import MicroBatch

if TYPE_CHECKING:
    from torch import Tensor

MEAN, COUNT = "reward_mean", "reward_count"  #: the state of `bco_pair`


def bco_pair(pairs: PairValues, batch: MicroBatch, settings: PreferenceSettings) -> Tensor:
    """Jung et al., arXiv:2404.04656: -log s(b c - d) - log s(-(b r - d)), d the running mean of all rewards."""
    from torch.nn.functional import logsigmoid

    chosen, rejected = (settings.beta * ratio for ratio in pairs.ratios)
    shift = batch.state[MEAN]
    return -logsigmoid(chosen - shift) - logsigmoid(shift - rejected)


def aot(pairs: PairValues, batch: MicroBatch, settings: PreferenceSettings) -> Tensor:
    """Melnyk et al., arXiv:2406.05882, paired: log p of chosen over rejected by the model and by the reference, both sorted, one by one.

    The k-th smallest of a pair's own is compared with the k-th smallest of the reference's, which is the same for all cuts of the batch.
    """
    chosen, rejected, chosen_before, rejected_before = batch.statistics.unbind(1)
    at = places(chosen - rejected)[list(batch.own)]
    opposite = (chosen_before - rejected_before).sort(stable=True).values[at]
    return smoothed(settings.beta * (pairs.policy.difference - opposite), settings.label_smoothing)


def aot_unpaired(pairs: PairValues, batch: MicroBatch, settings: PreferenceSettings) -> tuple[Tensor, Tensor]:
    """The same, unpaired: the ratios of all chosen answers and those of all rejected ones, both sorted, one by one.

    Each term has a chosen answer of one pair and a rejected one of another. So it is computed twice, with the other's answer as a constant:
    the value is the first's, the gradient that of both.
    """
    policy_chosen, policy_rejected, *before = batch.statistics.unbind(1)
    chosen, rejected = policy_chosen - before[0], policy_rejected - before[1]
    own = list(batch.own)
    beta, wrong = settings.beta, settings.label_smoothing
    by_chosen = pairs.ratios.chosen - rejected.sort(stable=True).values[places(chosen)[own]]
    by_rejected = chosen.sort(stable=True).values[places(rejected)[own]] - pairs.ratios.rejected
    return smoothed(beta * by_chosen, wrong), smoothed(beta * by_rejected, wrong)


def places(values: Tensor) -> Tensor:
    """Of each number, how many come before it when they are sorted; equal ones in their order."""
    return values.argsort(stable=True).argsort()
