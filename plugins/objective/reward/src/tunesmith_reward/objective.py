"""The loss of a reward model (Ouyang et al., arXiv:2203.02155, equation 1), after Bradley and Terry.

With the score r(x, y) that the head gives for the last token of a conversation, the loss of a pair is

    -log sigmoid(r(x, chosen) - r(x, rejected) - m) + c (r(x, chosen) + r(x, rejected))^2

averaged over the pairs. m is a row's margin (Touvron et al., arXiv:2307.09288, equation 2), 0 without one; the second term keeps scores
around 0 (Eisenstein et al., arXiv:2312.09244).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tunesmith_data.api import Row
from tunesmith_pairs import PairObjective, encode_pair
from tunesmith_reward.asks import SCORE, asks
from tunesmith_reward.settings import RewardSettings
from tunesmith_torch.api import LAST, ChatEncoder, Group, LossSum, Mean, MicroBatch

MARGIN = "margin"  #: of a row, and of its group


class RewardModel(PairObjective):
    """The objective `reward`: two sequences per row, each with a score at its end."""

    def __init__(self, settings: RewardSettings) -> None:
        self.settings, self.asks = settings, asks(settings)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """
        Raises:
            UserError: TS-DATA-037 when an answer has nothing of the assistant's; TS-DATA-082 when the two are the same.
        """
        pair = encode_pair(row, chat)
        sequences = tuple(replace(one, labels=[False] * len(one.tokens), places=(LAST,)) for one in pair.sequences)
        return Group(sequences, pair.facts if self.settings.use_margin else {})

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the pairs."""
        import torch
        from torch.nn.functional import logsigmoid

        scores = batch.scores[SCORE].squeeze(1)
        chosen, rejected = scores[0::2], scores[1::2]
        asked = torch.tensor([group.facts.get(MARGIN, 0.0) for group in batch.groups], dtype=scores.dtype, device=scores.device)
        margin, centred = chosen - rejected, self.settings.center_rewards_coefficient
        losses = -logsigmoid(margin - asked) + centred * (chosen + rejected).square()
        count = scores.new_tensor(float(len(scores)))
        metrics = {
            "rewards/chosen": chosen.sum(), "rewards/rejected": rejected.sum(), "rewards/margin": margin.sum(),
            "rewards/accuracy": (margin > 0).sum(), "rewards/mean": Mean(scores.sum(), count),
        }  # fmt: skip
        return LossSum(losses.sum(), metrics, rows=losses)

    def formula(self, batch: MicroBatch) -> Any:
        """Minus the logarithm of the probability that the chosen answer wins, pair by pair."""
        import torch

        pairs = []
        for number, group in enumerate(batch.groups):
            chosen, rejected = batch.scores[SCORE][2 * number, 0], batch.scores[SCORE][2 * number + 1, 0]
            handicap = rejected + (group.facts.get(MARGIN) or 0.0)
            lost = torch.logsumexp(torch.stack([chosen, handicap]), dim=0) - chosen
            pairs.append(lost + self.settings.center_rewards_coefficient * (chosen + rejected) ** 2)
        return sum(pairs) / len(pairs)
