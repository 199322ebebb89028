"""Group relative policy optimisation (Shao et al., arXiv:2402.03300) and what came of it.

With A a completion's advantage (see `advantages`), rho = p / p_old of a token (Schulman et al., arXiv:1707.06347), or of a completion as
the geometric mean over its tokens (GSPO: Zheng et al., arXiv:2507.18071), p_ref the reference, and w the weight of a token that another
model wrote (`tunesmith_completions.off_policy`; else 1), a token's loss is

    - w min(rho A, clip(rho, 1 - epsilon, 1 + epsilon_high) A) + beta (p_ref / p - log(p_ref / p) - 1)

and with ``cispo`` (MiniMax, arXiv:2506.13585, equation 4), where the clipped ratio has no gradient, - w min(rho, epsilon_high) A log p.
Losses are averaged over the tokens of the batch (``dapo``: Yu et al., arXiv:2503.14476, equation 8), over the tokens of each completion and
then over completions (``grpo``), or over the tokens that there could be (``dr_grpo``: Liu et al., arXiv:2503.20783). TRL's ``bnpo`` is
``dapo`` here: a batch is never averaged in parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith_completions import CompletionObjective, importance_weight, importance_weights, sampled_facts, weight_metrics
from tunesmith_grpo.advantages import advantages
from tunesmith_grpo.asks import asks
from tunesmith_grpo.settings import GroupSettings
from tunesmith_torch.api import COMPLETIONS, Group, LossSum, Mean, MicroBatch, Rollout

if TYPE_CHECKING:
    from torch import Tensor

_HIGHEST = 80.0  #: of a logarithm whose number float32 still has


class GroupRelative(CompletionObjective):
    """The objective `grpo`."""

    def __init__(self, settings: GroupSettings) -> None:
        super().__init__(settings, "grpo")
        self.settings, self.asks = settings, asks(settings)

    def learn(self, rollouts: Sequence[Sequence[Rollout]], state: Mapping[str, Any]) -> Sequence[Sequence[Mapping[str, Any] | None]]:
        """Advantage and old log-probabilities; nothing of a completion without a reward."""
        settings = self.settings
        rewards = [[rollout.reward for rollout in group] for group in rollouts]
        found = advantages(rewards, settings.advantage_estimator, settings.scale_rewards)
        masks = settings.mask_truncated_completions
        return [
            [
                None if advantage is None else {
                    "advantage": advantage, "old": list(rollout.old), "masked": masks and not rollout.finished,
                    **sampled_facts(settings, rollout),
                }
                for rollout, advantage in zip(group, own, strict=True)
            ]
            for group, own in zip(rollouts, found, strict=True)
        ]  # fmt: skip

    def weight(self, group: Group) -> float:
        """What the batch's loss is divided by: completions, tokens, or tokens that there could be. Of a prompt without any: 1."""
        completions = group.facts.get(COMPLETIONS)
        if completions is None:
            return 1.0
        if self.settings.loss_type == "grpo":
            return float(len(completions))
        if self.settings.loss_type == "dr_grpo":
            return float(len(completions) * self.settings.max_completion_length)
        labels = [sum(sequence.labels) for sequence in group.sequences]
        return float(sum(count for count, facts in zip(labels, completions, strict=True) if not facts["masked"]))

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the tokens, each with its share of the batch's average."""
        import torch

        facts = [facts for group in batch.groups for facts in group.facts[COMPLETIONS]]
        lengths = torch.tensor(list(batch.lengths), device=batch.policy.device)
        of = torch.repeat_interleave(torch.arange(len(facts), device=lengths.device), lengths)
        like = {"dtype": batch.policy.dtype, "device": batch.policy.device}
        advantage = torch.tensor([one["advantage"] for one in facts], **like)[of]
        counts = torch.tensor([0.0 if one["masked"] else 1.0 for one in facts], **like)[of]
        old = self._old(batch, facts, like)
        log_ratio, weights = batch.policy - old, importance_weights(self.settings, old, facts)
        if self.settings.importance_sampling_level == "sequence":
            means = torch.zeros(len(facts), **like).index_add(0, of, log_ratio) / lengths.clamp(min=1)
            log_ratio = means[of]
        ratio = torch.exp(log_ratio.clamp(max=_HIGHEST))
        low, high = self._bounds
        if self.settings.loss_type == "cispo":
            losses = -torch.clamp(ratio, max=high).detach() * advantage * batch.policy
        else:
            losses = -torch.minimum(ratio * advantage, torch.clamp(ratio, low, high) * advantage)
        if weights is not None:
            losses = losses * weights
        kl = None
        if batch.reference is not None:
            apart = (batch.reference - batch.policy).clamp(max=_HIGHEST)
            kl = torch.exp(apart) - apart - 1
            losses = losses + self.settings.beta * kl
        if self.settings.loss_type == "grpo":
            losses = losses / lengths.clamp(min=1)[of]
        losses = losses * counts
        of_group = torch.tensor([at for at, group in enumerate(batch.groups) for _ in group.sequences], device=of.device)[of]
        rows = torch.zeros(len(batch.groups), **like).index_add(0, of_group, losses)
        return LossSum(rows.sum(), self._metrics(batch, counts, advantage, ratio.detach(), kl, weights), rows=rows)

    @property
    def _bounds(self) -> tuple[float, float]:
        high = self.settings.epsilon_high
        if self.settings.loss_type == "cispo":
            return 0.0, high
        return 1 - self.settings.epsilon, 1 + (high or self.settings.epsilon)

    def _old(self, batch: MicroBatch, facts: Sequence[Mapping[str, Any]], like: Mapping[str, Any]) -> Tensor:
        """As the model was when it wrote the completions: as it is now, where it has made no step since."""
        import torch

        if self.asks.sampling is not None and self.asks.sampling.steps == 1:
            return batch.policy.detach()
        return torch.tensor([value for one in facts for value in one["old"]], **like)

    def _metrics(
        self, batch: MicroBatch, counts: Tensor, advantage: Tensor, ratio: Tensor, kl: Tensor | None, weights: Tensor | None
    ) -> dict[str, Tensor | Mean]:  # fmt: skip
        low, high = self._bounds
        below, above = (ratio < low) & (advantage < 0), (ratio > high) & (advantage > 0)
        tokens = counts.sum()
        found: dict[str, Tensor | Mean] = {
            "clip_ratio/low": Mean((below * counts).sum(), tokens), "clip_ratio/high": Mean((above * counts).sum(), tokens),
            **weight_metrics(self.settings, weights, counts),
        }  # fmt: skip
        if batch.entropy is not None:
            found["entropy"] = Mean((batch.entropy * counts).sum(), tokens)
        if kl is not None:
            found["kl"] = Mean((kl.detach() * counts).sum(), tokens)
        return found

    def formula(self, batch: MicroBatch) -> Tensor:
        """Completion by completion and token by token, in probabilities."""
        import torch

        settings, (low, high) = self.settings, self._bounds
        terms, used, tokens = [], 0, 0
        facts = [facts for group in batch.groups for facts in group.facts[COMPLETIONS]]
        for one, length in zip(facts, batch.lengths, strict=True):
            own = slice(used, used + length)
            used += length
            if one["masked"] or not length:
                continue
            tokens += length
            now = batch.policy[own]
            old = torch.tensor(one["old"], dtype=now.dtype, device=now.device) if settings_steps(settings) > 1 else now.detach()
            ratios = now.exp() / old.exp()
            if settings.importance_sampling_level == "sequence":
                ratios = ratios.prod() ** (1 / length) * torch.ones_like(ratios)
            values = []
            for at, ratio in enumerate(ratios):
                gain = one["advantage"] * ratio
                if settings.loss_type == "cispo":
                    value = -min(float(ratio.detach()), high) * one["advantage"] * now[at]
                else:
                    clipped = one["advantage"] * min(max(float(ratio.detach()), low), high)
                    value = -(gain if float(gain.detach()) <= clipped else torch.full_like(gain, clipped))
                value = value * importance_weight(settings, float(old[at]), one, at)
                if settings.beta:
                    odds = batch.reference[own][at].exp() / now[at].exp()
                    value = value + settings.beta * (odds - odds.log() - 1)
                values.append(value)
            whole = torch.stack(values)
            terms.append(whole.mean() if settings.loss_type == "grpo" else whole.sum())
        divisor = {"grpo": len(facts), "dr_grpo": len(facts) * settings.max_completion_length}.get(settings.loss_type, tokens)
        return torch.stack(terms).sum() / divisor if terms else (batch.policy * 0).sum()


def settings_steps(settings: GroupSettings) -> int:
    """Optimizer steps between two samplings."""
    return settings.num_iterations * settings.steps_per_generation
