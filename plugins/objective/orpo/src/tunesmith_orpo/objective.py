"""Odds ratio preference optimisation (Hong et al., arXiv:2403.07691, equations 6 and 7): tuned and aligned in one, without a reference.

With the mean log-probability of a token, l(y) = log p(y | x) / |y|, and odds(y) = exp l / (1 - exp l),

    loss = -l(chosen) - beta log sigmoid(log odds(chosen) - log odds(rejected))

averaged over the pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith_orpo.asks import asks
from tunesmith_orpo.settings import OddsRatioSettings
from tunesmith_pairs import Answers, PairObjective, counts, pair_metrics, per_answer
from tunesmith_torch.api import LossSum, MicroBatch

if TYPE_CHECKING:
    from torch import Tensor

SURE = -1e-6  # the highest mean log-probability that has odds in float32


class OddsRatioPreference(PairObjective):
    """The objective `orpo`."""

    def __init__(self, settings: OddsRatioSettings) -> None:
        self.settings, self.asks = settings, asks(settings)

    def loss(self, batch: MicroBatch) -> LossSum:
        from torch.nn.functional import logsigmoid

        sums, tokens = per_answer(batch.policy, batch.lengths), counts(batch.lengths, batch.policy)
        means = Answers(*(own / count for own, count in zip(sums, tokens, strict=True)))
        odds = Answers(*(mean - _log_of_rest(mean) for mean in means))
        preferred = -self.settings.beta * logsigmoid(odds.difference)
        rewards = Answers(*(self.settings.beta * mean for mean in means))
        metrics = {
            **pair_metrics(batch, rewards, sums), "loss/sft": -means.chosen.detach().sum(), "loss/preference": preferred.detach().sum()
        }  # fmt: skip
        return LossSum((preferred - means.chosen).sum(), metrics, rows=preferred - means.chosen)

    def formula(self, batch: MicroBatch) -> Tensor:
        """In odds, pair by pair."""
        import torch

        pairs, used = [], 0
        for at in range(0, len(batch.lengths), 2):
            likely = []  # geometric mean of the tokens' probabilities
            for length in batch.lengths[at : at + 2]:
                likely.append((batch.policy[used : used + length].sum() / max(1, length)).clamp(max=SURE).exp())
                used += length
            chosen, rejected = (own / (1 - own) for own in likely)
            pairs.append(-likely[0].log() + self.settings.beta * torch.log(1 + rejected / chosen))
        return torch.stack(pairs).mean()


def _log_of_rest(mean: Tensor) -> Tensor:
    """log(1 - exp mean)."""
    import torch

    return torch.log(-torch.expm1(mean.clamp(max=SURE)))
