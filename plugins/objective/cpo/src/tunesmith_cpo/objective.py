"""Contrastive preference optimisation (Xu et al., arXiv:2401.08417): a loss of the pair, and one of the chosen answer's likelihood.

With l(y) the log-probability of an answer, its mean over tokens for `ipo` and `simpo`, and m = beta (l(chosen) - l(rejected)),

    sigmoid    -(1 - e) log s(m) - e log s(-m)                equation 3 of the paper; e: label smoothing, s: the logistic function
    hinge      max(0, 1 - m)                                   SLiC-HF, arXiv:2305.10425
    ipo        (m / beta - 1 / (2 beta))^2                     arXiv:2310.12036, equation 17, without a reference
    simpo      sigmoid of m - gamma                            SimPO, arXiv:2405.14734

and ``cpo_alpha`` times minus the mean log-probability of the chosen answer's tokens, averaged over the pairs. With ``alphapo_alpha`` other
than 0 the reward is (1 - p^-a) / a, a being that, in the place of log p: AlphaPO, arXiv:2501.03884.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith_cpo.asks import asks
from tunesmith_cpo.settings import ContrastiveSettings
from tunesmith_pairs import Answers, PairObjective, counts, pair_metrics, per_answer
from tunesmith_torch.api import LossSum, MicroBatch

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 80.0  # exponent, so that its exponential is a float32
OF_MEANS = ("ipo", "simpo")


class ContrastivePreference(PairObjective):
    """The objective `cpo`."""

    def __init__(self, settings: ContrastiveSettings) -> None:
        self.settings, self.asks = settings, asks(settings)

    def loss(self, batch: MicroBatch) -> LossSum:
        sums, tokens = per_answer(batch.policy, batch.lengths), counts(batch.lengths, batch.policy)
        means = Answers(*(own / count for own, count in zip(sums, tokens, strict=True)))
        worth = Answers(*map(self._worth, means if self.settings.loss_type in OF_MEANS else sums))
        preferred, likely = self._of_margin(worth.difference), -means.chosen
        rewards = Answers(*(self.settings.beta * own for own in worth))
        metrics = {**pair_metrics(batch, rewards, sums), "loss/sft": likely.detach().sum(), "loss/preference": preferred.detach().sum()}
        losses = preferred + self.settings.cpo_alpha * likely
        return LossSum(losses.sum(), metrics, rows=losses)

    def _worth(self, log_p: Tensor) -> Tensor:
        import torch

        alpha = self.settings.alphapo_alpha
        return -torch.expm1((-alpha * log_p).clamp(max=LARGEST)) / alpha if alpha else log_p

    def _of_margin(self, difference: Tensor) -> Tensor:
        """(pairs,) losses."""
        from torch.nn.functional import logsigmoid

        kind, beta, wrong = self.settings.loss_type, self.settings.beta, self.settings.label_smoothing
        if kind == "ipo":
            return (difference - 1 / (2 * beta)) ** 2
        margin = beta * difference - (self.settings.simpo_gamma if kind == "simpo" else 0)
        if kind == "hinge":
            return (1 - margin).relu()
        return -(1 - wrong) * logsigmoid(margin) - wrong * logsigmoid(-margin)

    def formula(self, batch: MicroBatch) -> Tensor:
        """In probabilities, pair by pair."""
        import torch

        pairs, used = [], 0
        for at in range(0, len(batch.lengths), 2):
            of_pair, likely = [], []
            for length in batch.lengths[at : at + 2]:
                tokens = batch.policy[used : used + length]
                likely.append(tokens.sum() / max(1, length))
                of_pair.append(_bent(likely[-1] if self.settings.loss_type in OF_MEANS else tokens.sum(), self.settings.alphapo_alpha))
                used += length
            pairs.append(_preference(of_pair[0] - of_pair[1], self.settings) - self.settings.cpo_alpha * likely[0])
        return torch.stack(pairs).mean()


def _bent(log_p: Tensor, alpha: float) -> Tensor:
    return (1 - log_p.exp() ** -alpha) / alpha if alpha else log_p


def _preference(d: Tensor, settings: ContrastiveSettings) -> Tensor:
    """For `formula`, of the difference of an answer's worth and the other's."""
    import torch

    beta, wrong = settings.beta, settings.label_smoothing
    if settings.loss_type == "ipo":
        return d**2 - d / beta + 1 / (4 * beta**2)
    if settings.loss_type == "hinge":
        return (1 - beta * d) * (beta * d < 1)
    odds = beta * d - (settings.simpo_gamma if settings.loss_type == "simpo" else 0)
    return torch.logaddexp(torch.zeros_like(odds), -odds) + wrong * odds
