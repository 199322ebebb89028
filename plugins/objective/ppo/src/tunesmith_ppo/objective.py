"""Proximal policy optimisation (Schulman et al., arXiv:1707.06347), as language models are aligned with it (Ziegler et al.,
arXiv:1909.08593; Huang et al., arXiv:2403.17031).

With A and R a token's advantage and return (see `advantages`), rho = p / p_old, V the head's value and V_old what it was before the
collection's first step, a token's loss is

    - w min(rho A, clip(rho, 1 - cliprange, 1 + cliprange) A)
    + vf_coef / 2 max((V - R)^2, (clip(V, V_old - cliprange_value, V_old + cliprange_value) - R)^2)

averaged over the tokens of the batch. w is 1, and another where another model wrote them (`tunesmith_completions.off_policy`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tunesmith_completions import CompletionObjective, importance_weight, importance_weights, sampled_facts, weight_metrics
from tunesmith_ppo.advantages import divergences, gains, scaled, token_rewards
from tunesmith_ppo.asks import VALUE, asks
from tunesmith_ppo.kl_control import adapted
from tunesmith_ppo.settings import ProximalSettings
from tunesmith_torch.api import COMPLETIONS, Group, LossSum, Mean, MicroBatch, Rollout

if TYPE_CHECKING:
    from torch import Tensor

_HIGHEST = 80.0  #: of a logarithm whose number float32 still has
COEFFICIENT = "kl_coef"  #: the state


class ProximalPolicy(CompletionObjective):
    """The objective `ppo`."""

    def __init__(self, settings: ProximalSettings) -> None:
        super().__init__(settings, "ppo")
        self.settings, self.asks = settings, asks(settings)

    def initial_state(self) -> Mapping[str, Tensor]:
        import torch

        return {COEFFICIENT: torch.tensor(self.settings.kl_coef, dtype=torch.float64)}

    def adapted(self, state: Mapping[str, Tensor], rollouts: Sequence[Sequence[Rollout]]) -> Mapping[str, Tensor]:
        """The coefficient after a collection; as it was without `adap_kl_ctrl`."""
        import torch

        every, settings = [rollout for group in rollouts for rollout in group if not rollout.failure], self.settings
        if not (settings.adap_kl_ctrl and every):
            return state
        divergence = fmean(sum(divergences(one.old, one.reference, "k1")) for one in every)
        found = adapted(float(state[COEFFICIENT]), divergence, settings.target, len(every), settings.horizon)
        return {COEFFICIENT: torch.tensor(found, dtype=torch.float64)}

    def learn(self, rollouts: Sequence[Sequence[Rollout]], state: Mapping[str, Tensor]) -> Sequence[Sequence[Mapping[str, Any] | None]]:
        """Advantages and returns of each token, and what log-probabilities and values were; nothing of a completion without a reward."""
        settings, coefficient = self.settings, float(state[COEFFICIENT])
        scored = [one for group in rollouts for one in group if one.reward is not None]
        rewards = []
        for one in scored:
            distances = divergences(one.old, one.reference, settings.kl_estimator)
            score = float(one.reward or 0.0) - settings.missing_eos_penalty * (not one.finished)
            rewards.append(token_rewards(score, distances, len(one.log_probs), coefficient))
        if settings.whiten_rewards:
            rewards = scaled(rewards)
        values = [list(one.heads[VALUE]) for one in scored]
        found = iter(
            {
                "advantages": gain.advantages, "returns": gain.returns, "values": expected, "old": list(one.old),
                "kl": sum(divergences(one.old, one.reference, "k1")), **sampled_facts(settings, one),
            }
            for one, expected, gain in zip(scored, values, gains(rewards, values, settings.gamma, settings.lam), strict=True)
        )  # fmt: skip
        return [[None if one.reward is None else next(found) for one in group] for group in rollouts]

    def weight(self, group: Group) -> float:
        """Its tokens. Of a prompt without any: 1."""
        return float(sum(sum(sequence.labels) for sequence in group.sequences)) if COMPLETIONS in group.facts else 1.0

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the tokens."""
        import torch

        settings, like = self.settings, {"dtype": batch.policy.dtype, "device": batch.policy.device}
        facts = [facts for group in batch.groups for facts in group.facts[COMPLETIONS]]
        advantages, returns, before, old = (
            torch.tensor([value for one in facts for value in one[name]], **like) for name in ("advantages", "returns", "values", "old")
        )
        low, high = 1 - settings.cliprange, 1 + settings.cliprange
        ratio = torch.exp((batch.policy - old).clamp(max=_HIGHEST))
        of_policy = -torch.minimum(ratio * advantages, ratio.clamp(low, high) * advantages)
        if (weights := importance_weights(settings, old, facts)) is not None:
            of_policy = of_policy * weights
        values = batch.scores[VALUE].squeeze(1)
        far = (values - before).abs() > settings.cliprange_value
        near = before + (values - before).clamp(-settings.cliprange_value, settings.cliprange_value)
        of_values = torch.maximum((values - returns).square(), (near - returns).square()) / 2
        losses = of_policy + settings.vf_coef * of_values
        of_group = [at for at, group in enumerate(batch.groups) for _ in group.sequences]
        place = torch.repeat_interleave(*(torch.tensor(list(numbers), device=losses.device) for numbers in (of_group, batch.lengths)))
        rows = torch.zeros(len(batch.groups), **like).index_add(0, place, losses)
        told = {
            "policy_loss": of_policy, "value_loss": of_values, "value": values, "return": returns,
            "clip_ratio/low": (ratio < low) & (advantages < 0), "clip_ratio/high": (ratio > high) & (advantages > 0),
            "value_clip_ratio": far & ((near - returns).abs() > (values - returns).abs()),
            "approx_kl": (batch.policy - old).square() / 2,
        }  # fmt: skip
        return LossSum(
            rows.sum(), self._metrics(batch, facts, told) | weight_metrics(settings, weights, torch.ones_like(losses)), rows=rows
        )

    def _metrics(self, batch: MicroBatch, facts: Sequence[Mapping[str, Any]], told: Mapping[str, Tensor]) -> dict[str, Tensor | Mean]:
        tokens = batch.policy.new_tensor(float(len(batch.policy)))
        found: dict[str, Tensor | Mean] = {name: Mean(values.detach().sum(), tokens) for name, values in told.items()}
        if batch.entropy is not None:
            found["entropy"] = Mean(batch.entropy.sum(), tokens)
        if self.asks.reference:
            count = batch.policy.new_tensor(float(len(facts)))
            found["kl"] = Mean(batch.policy.new_tensor(sum(one["kl"] for one in facts)), count)
            found["kl_coef"] = Mean(batch.state[COEFFICIENT] * count, count)
        return found

    def formula(self, batch: MicroBatch) -> Tensor:
        """Token by token, in probabilities."""
        import torch

        settings, terms, at = self.settings, [], 0
        for one in (facts for group in batch.groups for facts in group.facts[COMPLETIONS]):
            for step, (gain, wanted, before, old) in enumerate(
                zip(one["advantages"], one["returns"], one["values"], one["old"], strict=True)
            ):
                ratio, value = batch.policy[at].exp() / torch.tensor(old, dtype=batch.policy.dtype).exp(), batch.scores[VALUE][at, 0]
                bound = min(max(float(ratio.detach()), 1 - settings.cliprange), 1 + settings.cliprange) * gain
                surrogate = ratio * gain if float(ratio.detach()) * gain <= bound else torch.full_like(ratio, bound)
                held = min(max(float(value.detach()), before - settings.cliprange_value), before + settings.cliprange_value)
                missed = (value - wanted) ** 2
                if abs(held - wanted) > abs(float(value.detach()) - wanted):
                    missed = torch.full_like(missed, (held - wanted) ** 2)
                weight = importance_weight(settings, old, one, step)
                terms.append(settings.vf_coef / 2 * missed - weight * surrogate)
                at += 1
        return torch.stack(terms).mean() if terms else (batch.policy * 0).sum()
