"""The loss of a process reward model (Lightman et al., arXiv:2305.20050; Uesato et al., arXiv:2211.14275).

At the last token of each step the head gives two numbers s_t, for wrong and for right:

    loss = - sum over steps t of log softmax(s_t)[y_t]  /  number of steps in the batch

as transformers' ``ForTokenClassification`` computes it with labels at these tokens alone.
"""

from __future__ import annotations

from typing import Any

from tunesmith_data.api import Row
from tunesmith_process_reward.asks import SCORE, asks
from tunesmith_process_reward.settings import ProcessRewardSettings
from tunesmith_torch.api import ChatEncoder, Group, LossSum, Mean, MicroBatch
from tunesmith_torch.api.scoring import steps_sequence

STEPS = "steps"  #: of a group: 1 for each step that is right, 0 for one that is wrong


class ProcessReward:
    """The objective `process-reward`: one sequence per solution, with a place at the end of each step."""

    def __init__(self, settings: ProcessRewardSettings = ProcessRewardSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings, self.asks = settings, asks(settings)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The prompt, and the steps as one answer to it.

        Raises:
            UserError: TS-DATA-020 for a solution without steps or with an empty one; TS-DATA-077 and -078 where the tokens at which steps
                end can't be told.
        """
        last = self.settings.train_on_last_step_only
        sequence = steps_sequence(chat, row["messages"], row["completions"], separator=self.settings.step_separator, last_only=last)
        labels = [int(label) for label in row["labels"]]
        return Group((sequence,), {STEPS: labels[-1:] if last else labels})

    def weight(self, group: Group) -> float:
        """The steps that have a label."""
        return float(len(group.sequences[0].places))

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the steps."""
        import torch
        from torch.nn.functional import cross_entropy

        scores = batch.scores[SCORE]
        right = torch.tensor(_labels(batch), device=scores.device)
        found = scores.argmax(1) == right
        metrics = {"accuracy": found.sum(), "accuracy/wrong": Mean((found & (right == 0)).sum(), (right == 0).sum())}
        return LossSum(cross_entropy(scores, right, reduction="sum"), metrics)

    def formula(self, batch: MicroBatch) -> Any:
        """Step by step: minus the logarithm of the probability that it is what its label says."""
        from torch.nn.functional import softplus

        scores = batch.scores[SCORE]
        lost = [softplus(own[1 - label] - own[label]) for own, label in zip(scores, _labels(batch), strict=True)]
        return sum(lost) / len(lost)


def _labels(batch: MicroBatch) -> list[int]:
    """By place: what `max_length` has cut off a solution has none."""
    return [label for group, count in zip(batch.groups, batch.places, strict=True) for label in group.facts[STEPS][:count]]
