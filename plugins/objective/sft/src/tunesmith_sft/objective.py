"""Cross-entropy on the assistant's tokens, of all answers or the last, or on all tokens.

    loss = - sum over trained tokens t of log p(x_t | x_<t)  /  number of trained tokens in the batch

Every token of the batch counts the same, however its rows are long and however the batch is cut: the same as TRL's and transformers'
``num_items_in_batch`` normalisation.
"""

from __future__ import annotations

from typing import Any

from tunesmith_data.api import Row
from tunesmith_sft.asks import asks
from tunesmith_sft.settings import SupervisedSettings
from tunesmith_sft.train_on import trained_on
from tunesmith_torch.api import ChatEncoder, Group, LossSum, MicroBatch, answered, per_sequence


class SupervisedTuning:
    """The objective `sft`: one sequence per conversation."""

    def __init__(self, settings: SupervisedSettings = SupervisedSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings, self.asks = settings, asks(settings)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The conversation as one sequence.

        Raises:
            UserError: TS-DATA-033 when the assistant says nothing in it that could be trained on.
        """
        return answered(trained_on(self.settings.train_on, row, chat))

    def weight(self, group: Group) -> float:
        """The trained tokens."""
        return float(sum(group.sequences[0].labels))

    def loss(self, batch: MicroBatch) -> LossSum:
        """Minus the log-likelihood, summed over the trained tokens."""
        return LossSum(-batch.policy.sum(), rows=-per_sequence(batch.policy, batch.lengths))

    def formula(self, batch: MicroBatch) -> Any:
        """Row by row, over the number of trained tokens."""
        likelihoods = [row.sum() for row in batch.policy.split(list(batch.lengths))]
        return -sum(likelihoods) / sum(batch.lengths)
