"""Completions of another model than the one that learns: what each of their tokens counts then.

A token that the model which wrote it gave the probability q, and to which the model gave p before the first optimizer step on the
completions, counts min(p / q, C): truncated importance sampling (Ionides, 2008; in TRL `token_truncate`, with the same C). It has no
gradient, and the ratio that an objective clips is that of the model to itself, as it is without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import setting
from tunesmith_completions.settings import SamplingSettings
from tunesmith_torch.api import Mean, Rollout

if TYPE_CHECKING:
    from torch import Tensor

_HIGHEST = 80.0  # of a logarithm whose number float32 still has
SAMPLED = "sampled"  #: the fact of a completion


@dataclass(frozen=True)
class OffPolicySettings(SamplingSettings):
    """Of an objective whose losses are expectations under the model that wrote the completions."""

    importance_sampling_clip_max: float = setting(
        3.0, "with `one_step_off_policy` a token counts as much more as it has become likelier since it was written, up to this; 0: each "
        "counts as much as any", ge=0, effect={"with": {"one_step_off_policy": True}}, examples=(1.0,),
    )  # fmt: skip

    @property
    def corrected(self) -> bool:
        return self.one_step_off_policy and self.importance_sampling_clip_max > 0


def sampled_facts(settings: OffPolicySettings, rollout: Rollout) -> dict[str, Any]:
    """What the loss needs to know of a completion; nothing where it is not corrected."""
    return {SAMPLED: list(rollout.log_probs)} if settings.corrected else {}


def importance_weights(settings: OffPolicySettings, old: Tensor, facts: Sequence[Mapping[str, Any]]) -> Tensor | None:
    """(tokens,) what each counts; None where each counts as much as any.

    Args:
        old: (tokens,) log-probabilities by the model before its first step on the completions.
        facts: of each completion, with `sampled_facts`.
    """
    if not settings.corrected:
        return None
    sampled = old.new_tensor([value for one in facts for value in one[SAMPLED]])
    return (old.detach() - sampled).clamp(max=_HIGHEST).exp().clamp(max=settings.importance_sampling_clip_max)


def importance_weight(settings: OffPolicySettings, old: float, facts: Mapping[str, Any], at: int) -> float:
    """Of one token, for an objective's formula."""
    return min(exp(old) / exp(facts[SAMPLED][at]), settings.importance_sampling_clip_max) if settings.corrected else 1.0


def weight_metrics(settings: OffPolicySettings, weights: Tensor | None, counts: Tensor) -> dict[str, Mean]:
    """Their mean and the share that is truncated, by TRL's name.

    Args:
        counts: (tokens,) 1 for those that are learned from, else 0.
    """
    if weights is None:
        return {}
    cut = (weights >= settings.importance_sampling_clip_max) * counts
    name = "sampling/importance_sampling_ratio"
    return {f"{name}/mean": Mean((weights * counts).sum(), counts.sum()), f"{name}/truncated": Mean(cut.sum(), counts.sum())}
