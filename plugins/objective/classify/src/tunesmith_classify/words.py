"""The objective `classify-tokens`: a class for each word of a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_classify import cross_entropy
from tunesmith_classify.asks import asks_of_tokens
from tunesmith_classify.classes import Classes
from tunesmith_classify.cross_entropy import CLASSES
from tunesmith_classify.settings import ClassifySettings
from tunesmith_data.api import Row
from tunesmith_torch.api import ChatEncoder, Group, LossSum, MicroBatch
from tunesmith_torch.api.scoring import words_sequence


class WordClassifier:
    """One sequence per row: its words with a space between them, and the class of each at its last token, where the model has read it.

    Raises:
        UserError: TS-TRAIN-101 for a setting `labels` with one class alone, or one twice.
    """

    def __init__(self, settings: ClassifySettings) -> None:
        self.settings, self.asks, self.classes = settings, asks_of_tokens(settings), Classes(settings.labels)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The words as the tokenizer writes them.

        Raises:
            UserError: TS-DATA-079 for a class that the setting `labels` does not name; TS-DATA-080 for a row with one class; TS-DATA-077
                for words that can't be told apart; TS-DATA-020 for none.
        """
        if "tokens" not in row:
            raise UserError(
                "TS-DATA-080", "The row has one class, and `classify-tokens` learns one for each word", fix="Train with `classify`.",
            )  # fmt: skip
        facts = {CLASSES: [self.classes.number(own) for own in row["labels"]]} if self.classes.names else {}
        return Group((words_sequence(chat, row["tokens"]),), facts)

    def read_facts(self, facts: Iterable[Mapping[str, Any]]) -> Sequence[str]:
        """
        Raises:
            UserError: TS-TRAIN-101 without classes to learn.
        """
        self.classes.check_number()
        return ()

    def weight(self, group: Group) -> float:
        """The words."""
        return float(len(group.sequences[0].places))

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the words."""
        return cross_entropy.loss(batch)

    def formula(self, batch: MicroBatch) -> Any:
        """As the loss is written."""
        return cross_entropy.formula(batch)
