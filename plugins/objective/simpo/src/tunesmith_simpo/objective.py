"""Simple preference optimisation (Meng et al., arXiv:2405.14734, equation 6): no reference, and answers of any length on one scale.

    r(y) = beta / |y| log p(y | x)          loss = -log sigmoid(r(chosen) - r(rejected) - gamma)

averaged over the pairs. With label smoothing e it is ``-(1 - e) log sigmoid(m) - e log sigmoid(-m)``, m what is in the brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith_pairs import Answers, PairObjective, counts, pair_metrics, per_answer
from tunesmith_simpo.asks import asks
from tunesmith_simpo.settings import SimpleSettings
from tunesmith_torch.api import LossSum, MicroBatch

if TYPE_CHECKING:
    from torch import Tensor


class SimplePreference(PairObjective):
    """The objective `simpo`."""

    def __init__(self, settings: SimpleSettings) -> None:
        self.settings, self.asks = settings, asks(settings)

    def loss(self, batch: MicroBatch) -> LossSum:
        from torch.nn.functional import logsigmoid

        sums, tokens = per_answer(batch.policy, batch.lengths), counts(batch.lengths, batch.policy)
        rewards = Answers(*(self.settings.beta * own / count for own, count in zip(sums, tokens, strict=True)))
        margin, wrong = rewards.difference - self.settings.simpo_gamma, self.settings.label_smoothing
        losses = -(1 - wrong) * logsigmoid(margin) - wrong * logsigmoid(-margin)
        return LossSum(losses.sum(), pair_metrics(batch, rewards, sums), rows=losses)

    def formula(self, batch: MicroBatch) -> Tensor:
        """The expected surprise at the preference, in odds, pair by pair."""
        import torch

        beta, gamma, wrong = self.settings.beta, self.settings.simpo_gamma, self.settings.label_smoothing
        pairs, used = [], 0
        for at in range(0, len(batch.lengths), 2):
            per_token = []
            for length in batch.lengths[at : at + 2]:
                per_token.append(batch.policy[used : used + length].sum() / max(1, length))
                used += length
            odds = beta * (per_token[0] - per_token[1] - gamma / beta)  # that the chosen one is preferred, as a logarithm
            surprise = torch.logaddexp(torch.zeros_like(odds), -odds)
            pairs.append(surprise + wrong * odds)
        return torch.stack(pairs).mean()
