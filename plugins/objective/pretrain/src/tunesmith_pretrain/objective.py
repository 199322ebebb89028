"""Cross-entropy on every token of a document, given those before it.

    loss = - sum over tokens t of log p(x_t | x_<t)  /  number of these tokens in the batch

The first token of a document has nothing before it and is not predicted. Documents share forward passes without seeing each other: that is
the engine's packing. One that is longer than `max_length` goes on in pieces (`Asks.pieces`), in which each token is predicted once.
"""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import Row
from tunesmith_pretrain.asks import asks
from tunesmith_pretrain.settings import PretrainSettings
from tunesmith_torch.api import ChatEncoder, Group, LossSum, MicroBatch, per_sequence


class Pretraining:
    """The objective `pretrain`: one sequence per document."""

    def __init__(self, settings: PretrainSettings = PretrainSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings, self.asks = settings, asks(settings)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The document as the tokenizer writes it.

        Raises:
            UserError: TS-DATA-020 for a document without text.
        """
        if not row["text"].strip():
            raise UserError("TS-DATA-020", "`text` is empty", why="It is a document without text.", fix="Remove the row.")
        return Group((chat.encode_text(row["text"], ended=self.settings.end_token),))

    def weight(self, group: Group) -> float:
        """The tokens that are predicted."""
        return float(sum(group.sequences[0].labels))

    def loss(self, batch: MicroBatch) -> LossSum:
        """Minus the log-likelihood, summed over the tokens."""
        return LossSum(-batch.policy.sum(), rows=-per_sequence(batch.policy, batch.lengths))

    def formula(self, batch: MicroBatch) -> Any:
        """Document by document, over the number of tokens."""
        likelihoods = [document.sum() for document in batch.policy.split(list(batch.lengths))]
        return -sum(likelihoods) / sum(batch.lengths)
