"""Direct preference optimisation: the chosen answer is preferred to the rejected one, without a reward model.

The implicit reward of an answer y to a prompt x, against the reference ("ref"), is

    r(y) = beta * (log p(y | x) - log p_ref(y | x))          log p(y | x) = sum over y's tokens

and the losses, in `losses` and `batch_losses`, are functions of both rewards of a pair, averaged over the pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunesmith_dpo.asks import asks
from tunesmith_dpo.batch_losses import COUNT, MEAN, aot, aot_unpaired, bco_pair
from tunesmith_dpo.formula import formula
from tunesmith_dpo.losses import BY_NAME
from tunesmith_dpo.pair_values import PairValues, pair_values
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_pairs import Answers, PairObjective, pair_metrics, per_answer
from tunesmith_torch.api import LossSum, MicroBatch

if TYPE_CHECKING:
    from torch import Tensor


class DirectPreference(PairObjective):
    """The objective `dpo`."""

    def __init__(self, settings: PreferenceSettings) -> None:
        self.settings, self.asks = settings, asks(settings)

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the pairs."""
        import torch

        pairs = pair_values(batch, self.settings)
        weights = self._weights(batch) if self.settings.use_weighting else torch.ones_like(pairs.policy.chosen)
        total = value = batch.policy.new_zeros(())
        rows = torch.zeros_like(pairs.policy.chosen)
        for name, share in zip(self.settings.losses, self.settings.weights, strict=True):
            told, other = self._losses(name, pairs, batch)
            value, rows = value + share * (weights * told).sum(), rows + share * weights * told
            total = total + share * (weights * (told + other)).sum()
        whole = Answers(*(ratio * self.settings.beta for ratio in pairs.ratios))
        metrics = pair_metrics(batch, whole, per_answer(batch.policy, batch.lengths))
        return LossSum(total, metrics, value.detach() if "aot_unpaired" in self.settings.losses else None, rows)

    def formula(self, batch: MicroBatch) -> Tensor:
        return formula(batch, self.settings)

    def gather(self, batch: MicroBatch) -> Tensor:
        """(pairs, 4): log-probabilities of chosen and rejected by the model, then by the reference."""
        import torch

        pairs = pair_values(batch, self.settings)
        return torch.stack([*pairs.policy, *pairs.reference], dim=1).detach()

    def initial_state(self) -> Mapping[str, Tensor]:
        """The running mean of rewards, of how many it is one; nothing without `bco_pair`."""
        import torch

        return {MEAN: torch.zeros(()), COUNT: torch.zeros(())} if "bco_pair" in self.settings.losses else {}

    def next_state(self, state: Mapping[str, Tensor], statistics: Tensor) -> Mapping[str, Tensor]:
        """The mean over all answers of all batches so far."""
        if not state:
            return state
        rewards = self.settings.beta * (statistics[:, :2] - statistics[:, 2:])
        before, count = (state[name].to(rewards.device) for name in (MEAN, COUNT))
        all_of_them = count + rewards.numel()
        return {MEAN: before + (rewards.mean() - before) * rewards.numel() / all_of_them, COUNT: all_of_them}

    def _losses(self, name: str, pairs: PairValues, batch: MicroBatch) -> tuple[Tensor, Tensor | float]:
        """(pairs,) the loss's value, and what else has a part of its gradient."""
        if name == "aot_unpaired":
            return aot_unpaired(pairs, batch, self.settings)
        if name in ("aot", "bco_pair"):
            return {"aot": aot, "bco_pair": bco_pair}[name](pairs, batch, self.settings), 0.0
        return BY_NAME[name](pairs, self.settings), 0.0

    def _weights(self, batch: MicroBatch) -> Tensor:
        """(pairs,) exp of the mean of log p - log sum p^2 over an answer's tokens, of both answers, as constants: WPO, Zhou et al.,
        arXiv:2406.11827, equation 2, with its sampled alignment."""
        from tunesmith_pairs import counts

        aligned = per_answer(batch.policy.detach() - batch.log_sum_sq, batch.lengths)
        tokens = counts(batch.lengths, batch.policy)
        return (aligned.chosen / tokens.chosen + aligned.rejected / tokens.rejected).exp()
