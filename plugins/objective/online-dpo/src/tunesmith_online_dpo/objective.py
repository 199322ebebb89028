"""Online DPO (Guo et al., arXiv:2402.04792): the loss of DPO on pairs that the model in training has just written.

Of a prompt's completions y+ has the highest reward and y- the lowest. With z = log p(y+) / p_ref(y+) - log p(y-) / p_ref(y-), a pair's
loss is

    sigmoid    - log sigmoid(beta z)        Rafailov et al., arXiv:2305.18290, equation 7
    ipo        (z - 1 / (2 beta))^2         Azar et al., arXiv:2310.12036, equation 17

averaged over the pairs. A prompt whose completions all have the same reward gives none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith_completions import CompletionObjective
from tunesmith_online_dpo.asks import asks
from tunesmith_online_dpo.settings import OnlinePreferenceSettings
from tunesmith_torch.api import COMPLETIONS, Group, LossSum, Mean, MicroBatch, Rollout

if TYPE_CHECKING:
    from torch import Tensor


class OnlinePreference(CompletionObjective):
    """The objective `online-dpo`: a pair of completions of each prompt, in the order in which they were sampled."""

    def __init__(self, settings: OnlinePreferenceSettings) -> None:
        super().__init__(settings, "online-dpo")
        self.settings, self.asks = settings, asks(settings)

    def learn(self, rollouts: Sequence[Sequence[Rollout]], state: Mapping[str, Any]) -> Sequence[Sequence[Mapping[str, Any] | None]]:
        """Which two of a prompt's completions are a pair, and which of them is the better one."""
        return [self._pair(group) for group in rollouts]

    def _pair(self, group: Sequence[Rollout]) -> list[Mapping[str, Any] | None]:
        penalty = self.settings.missing_eos_penalty
        rewards = {at: one.reward - penalty * (not one.finished) for at, one in enumerate(group) if one.reward is not None}
        found: list[Mapping[str, Any] | None] = [None] * len(group)
        if len(set(rewards.values())) > 1:
            found[max(rewards, key=rewards.__getitem__)] = {"better": 1.0}
            found[min(rewards, key=rewards.__getitem__)] = {"better": -1.0}
        return found

    def weight(self, group: Group) -> float:
        return 1.0

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the pairs."""
        import torch
        from torch.nn.functional import logsigmoid

        lengths = list(batch.lengths)
        policy, reference = (torch.stack([own.sum() for own in values.split(lengths)]) for values in (batch.policy, batch.reference))
        signs = policy.new_tensor([facts["better"] for group in batch.groups for facts in group.facts[COMPLETIONS]])
        margin = (signs * (policy - reference)).view(-1, 2).sum(1)
        beta = self.settings.beta
        losses = -logsigmoid(beta * margin) if self.settings.loss_type == "sigmoid" else (margin - 1 / (2 * beta)).square()
        rewards = beta * (policy - reference).detach()
        tokens, completions = (policy.new_tensor(float(count)) for count in (len(batch.policy), len(policy)))
        metrics: dict[str, Tensor | Mean] = {
            "rewards/chosen": rewards[signs > 0].sum(), "rewards/rejected": rewards[signs < 0].sum(),
            "rewards/margin": beta * margin.detach().sum(), "rewards/accuracy": (margin > 0).sum(),
            "kl": Mean((policy - reference).detach().sum(), completions),
        }  # fmt: skip
        if batch.entropy is not None:
            metrics["entropy"] = Mean(batch.entropy.sum(), tokens)
        return LossSum(losses.sum(), metrics, rows=losses)

    def formula(self, batch: MicroBatch) -> Tensor:
        """Pair by pair, from the two completions' log-probabilities."""
        import torch

        beta, terms, used = self.settings.beta, [], 0
        lengths = iter(batch.lengths)
        for group in batch.groups:
            gained = {}
            for facts in group.facts[COMPLETIONS]:
                own = slice(used, used + next(lengths))
                used = own.stop
                gained[facts["better"]] = batch.policy[own].sum() - batch.reference[own].sum()
            z = gained[1.0] - gained[-1.0]
            if self.settings.loss_type == "ipo":
                terms.append(z**2 - z / beta + 1 / (4 * beta**2))
            else:
                terms.append(torch.logaddexp(torch.zeros_like(z), -beta * z))
        return torch.stack(terms).mean() if terms else (batch.policy * 0).sum()
