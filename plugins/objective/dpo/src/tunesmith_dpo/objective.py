"""The sigmoid loss of direct preference optimisation (Rafailov et al., arXiv:2305.18290, equation 7).

With the implicit reward of an answer y to a prompt x, against the model before training ("ref"),

    r(y) = beta * (log p(y | x) - log p_ref(y | x))          log p(y | x) = sum over y's tokens

the loss of a pair is ``-log sigmoid(r(chosen) - r(rejected))``, averaged over the pairs. With label smoothing e (conservative DPO,
Mitchell 2023) it is ``-(1 - e) log sigmoid(m) - e log sigmoid(-m)`` with m the margin.
"""

from __future__ import annotations

from tunesmith.contracts import UserError
from tunesmith_data.api import Row
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_torch.api import ChatEncoder, Group, LogProbs, LossSum


class DirectPreference:
    """The objective `dpo`: two sequences per row, chosen then rejected."""

    needs_reference = True

    def __init__(self, settings: PreferenceSettings) -> None:
        self.settings = settings

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

    def loss(self, batch: LogProbs) -> LossSum:
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
