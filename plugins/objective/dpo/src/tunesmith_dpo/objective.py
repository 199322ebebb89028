"""The sigmoid loss of direct preference optimisation (Rafailov et al., arXiv:2305.18290, equation 7).

With the implicit reward of an answer y to a prompt x, against the model before training ("ref"),

    r(y) = beta * (log p(y | x) - log p_ref(y | x))          log p(y | x) = sum over y's tokens

the loss of a pair is ``-log sigmoid(r(chosen) - r(rejected))``, averaged over the pairs. With label smoothing e (conservative DPO,
Mitchell 2023) it is ``-(1 - e) log sigmoid(m) - e log sigmoid(-m)`` with m the margin.
"""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import Row
from tunesmith_dpo.asks import asks
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_torch.api import ChatEncoder, Group, LossSum, MicroBatch


class DirectPreference:
    """The objective `dpo`: two sequences per row, chosen then rejected."""

    def __init__(self, settings: PreferenceSettings) -> None:
        self.settings, self.asks = settings, asks(settings)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """Prompt and answer, twice; labels on the answers only.

        Raises:
            UserError: TS-DATA-037 when an answer has nothing of the assistant's.
        """
        prompt, tools = list(row["messages"]), row.get("tools") or ()
        sequences = []
        for side in ("chosen", "rejected"):
            sequence = chat.encode(prompt + list(row[side]), tools, since=len(prompt))
            if not any(sequence.labels):
                raise UserError(
                    "TS-DATA-037", f"the {side} answer has no message of the assistant",
                    fix=f"Give `{side}` a message of the role `assistant`, or leave the row out.",
                )  # fmt: skip
            sequences.append(sequence)
        return Group(tuple(sequences))

    def weight(self, group: Group) -> float:
        """A pair counts as one, however long it is."""
        return 1.0

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the pairs, with TRL's metrics."""
        import torch
        from torch.nn.functional import logsigmoid

        lengths = list(batch.lengths)
        policy = torch.stack([values.sum() for values in batch.policy.split(lengths)])
        reference = torch.stack([values.sum() for values in batch.reference.split(lengths)])
        rewards = self.settings.beta * (policy - reference)
        chosen, rejected = rewards[0::2], rewards[1::2]
        margin, smoothing = chosen - rejected, self.settings.label_smoothing
        losses = -(1 - smoothing) * logsigmoid(margin) - smoothing * logsigmoid(-margin)
        metrics = {
            "rewards/chosen": chosen.sum(), "rewards/rejected": rejected.sum(), "rewards/margin": margin.sum(),
            "rewards/accuracy": (margin > 0).sum(),
        }  # fmt: skip
        return LossSum(losses.sum(), metrics)

    def formula(self, batch: MicroBatch) -> Any:
        """The expected loss of a pair under labels that are wrong with the probability `label_smoothing`, in probabilities."""
        import torch

        beta, wrong = self.settings.beta, self.settings.label_smoothing
        pairs, used = [], 0
        for first in range(0, len(batch.lengths), 2):
            ratios = []  # of each answer's probability to what it was, to the power of beta, as a logarithm
            for length in batch.lengths[first : first + 2]:
                answer = slice(used, used + length)
                ratios.append(beta * (batch.policy[answer] - batch.reference[answer]).sum())
                used += length
            either = torch.logsumexp(torch.stack(ratios), dim=0)  # Bradley and Terry: one of the two is preferred
            pairs.append((1 - wrong) * (either - ratios[0]) + wrong * (either - ratios[1]))
        return torch.stack(pairs).mean()
