"""What the losses of a micro-batch of pairs are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_pairs import Answers, counts, per_answer, tail_weights
from tunesmith_torch.api import MicroBatch

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 40.0  # exponent, so that the square of its exponential is a float32


@dataclass(frozen=True)
class PairValues:
    """Of each pair, chosen and rejected.

    Args:
        policy, reference: log-probability of the answer, by the model and by the reference.
        scores: what an answer's ratio of the two is worth under the divergence: its logarithm, for `reverse_kl`.
        counts: tokens of the answer.
        mean: log-probability of a token, on average.
    """

    policy: Answers
    reference: Answers
    scores: Answers
    counts: Answers
    mean: Answers

    @property
    def ratios(self) -> Answers:
        """log p - log p_ref."""
        return Answers(self.policy.chosen - self.reference.chosen, self.policy.rejected - self.reference.rejected)


def pair_values(batch: MicroBatch, settings: PreferenceSettings) -> PairValues:
    lengths, weights = batch.lengths, 1.0
    if settings.ld_alpha != 1:  # LD-DPO, arXiv:2409.06411
        weights = tail_weights(lengths, settings.ld_alpha, batch.policy)
    policy, reference = per_answer(batch.policy * weights, lengths), per_answer(batch.reference * weights, lengths)
    whole, tokens = per_answer(batch.policy, lengths), counts(lengths, batch.policy)
    scores = Answers(*(score(own - before, settings) for own, before in zip(policy, reference, strict=True)))
    return PairValues(policy, reference, scores, tokens, Answers(*(own / count for own, count in zip(whole, tokens, strict=True))))


def score(ratio: Tensor, settings: PreferenceSettings) -> Tensor:
    """The derivative f' of the divergence at exp(ratio) (f-DPO, arXiv:2309.16240), but for a constant that differences do not have."""
    import torch
    from torch.nn.functional import logsigmoid

    kind, alpha = settings.f_divergence_type, settings.f_alpha_divergence_coef
    if kind == "forward_kl":
        return 1 - torch.exp((-ratio).clamp(max=LARGEST))
    if kind == "js_divergence":
        return log(2) + logsigmoid(ratio)
    if kind == "alpha_divergence" and abs(alpha - 1) > 1e-6:
        return torch.expm1(((alpha - 1) * ratio).clamp(max=LARGEST)) / (alpha - 1)
    return ratio
