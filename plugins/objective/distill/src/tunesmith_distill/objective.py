"""The divergence between a teacher's and a student's next-token distributions, at each token of an answer (Hinton et al.,
arXiv:1503.02531).

Of the teacher's distribution p the k most likely tokens count each by themselves, all others as one outcome; of the student's q the same
ones. By the log-sum inequality what is computed of these k + 1 outcomes is never more than the divergence over the whole vocabulary, and it
is that where k is the vocabulary's size. With m = beta p + (1 - beta) q (Agarwal et al., arXiv:2306.13649, equation 1)

    beta = 0:  KL(p || q)        beta = 1:  KL(q || p)        else:  beta KL(p || m) + (1 - beta) KL(q || m)

averaged over the tokens.
"""

from __future__ import annotations

import math
from typing import Any

from tunesmith_data.api import Row
from tunesmith_distill.asks import asks
from tunesmith_distill.settings import DistillSettings
from tunesmith_torch.api import ChatEncoder, Group, LossSum, MicroBatch, answered

SMALLEST = 1e-5  #: of what the likeliest tokens leave to all others: below, float32 log-probabilities don't tell how much it is


class Distillation:
    """The objective `distill`: one sequence per conversation, labels on the assistant's tokens."""

    def __init__(self, settings: DistillSettings) -> None:
        self.settings, self.asks = settings, asks(settings)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The conversation as one sequence.

        Raises:
            UserError: TS-DATA-033 when the assistant says nothing in it.
        """
        return answered(chat.encode(row["messages"], row.get("tools") or ()))

    def weight(self, group: Group) -> float:
        """The tokens of the answers."""
        return float(sum(group.sequences[0].labels))

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the tokens."""
        import torch

        assert batch.teacher is not None
        teacher, student = _with_rest(batch.teacher.log_probs), _with_rest(batch.candidates)
        beta, plain = self.settings.beta, self.settings.sft_weight
        forward, reverse = _divergence(teacher, student), _divergence(student, teacher)
        if beta == 0.0:
            apart = forward
        elif beta == 1.0:
            apart = reverse
        else:
            middle = torch.logaddexp(teacher + math.log(beta), student + math.log1p(-beta))
            apart = beta * _divergence(teacher, middle) + (1 - beta) * _divergence(student, middle)
        total = (1 - plain) * apart.sum() - (plain * batch.policy.sum() if plain else 0.0)
        agree = batch.candidates.argmax(1) == 0
        metrics = {
            "kl/forward": forward.sum(), "kl/reverse": reverse.sum(), "agreement": agree.sum(),
            "teacher_top_k_mass": batch.teacher.log_probs.exp().sum(),
        }  # fmt: skip
        return LossSum(total, metrics)

    def formula(self, batch: MicroBatch) -> Any:
        """Outcome by outcome, in probabilities."""
        import torch

        assert batch.teacher is not None
        p, q = batch.teacher.log_probs.exp(), batch.candidates.exp()
        p, q = (torch.cat([one, (1 - one.sum(1, keepdim=True)).clamp(min=SMALLEST)], dim=1) for one in (p, q))
        beta = self.settings.beta
        m = beta * p + (1 - beta) * q
        against = {0.0: p * (p / q).log(), 1.0: q * (q / p).log()}
        each = against[beta] if beta in against else beta * p * (p / m).log() + (1 - beta) * q * (q / m).log()
        share = self.settings.sft_weight
        return (1 - share) * each.sum(1).mean() + share * -batch.policy.mean()


def _with_rest(log_probs: Any) -> Any:
    """(labels, k + 1): with the logarithm of what is left to all other tokens."""
    import torch

    log_probs = log_probs.double()  # a small difference of numbers near 1
    rest = (-torch.expm1(torch.logsumexp(log_probs, dim=1, keepdim=True))).clamp(min=SMALLEST)
    return torch.cat([log_probs, rest.log()], dim=1)


def _divergence(one: Any, other: Any) -> Any:
    """(labels,): KL of two distributions given as logarithms."""
    return (one.exp() * (one - other)).sum(1)
