"""The objective `classify`: a class for each text or conversation."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import UserError
from tunesmith_classify import cross_entropy
from tunesmith_classify.asks import asks
from tunesmith_classify.classes import Classes
from tunesmith_classify.cross_entropy import CLASSES
from tunesmith_classify.settings import ClassifySettings
from tunesmith_data.api import Row
from tunesmith_torch.api import ChatEncoder, Group, LossSum, MicroBatch
from tunesmith_torch.api.scoring import conversation_sequence, text_sequence


class TextClassifier:
    """One sequence per row, with its class at its end.

    Raises:
        UserError: TS-TRAIN-101 for a setting `labels` without classes.
    """

    def __init__(self, settings: ClassifySettings) -> None:
        self.settings, self.asks, self.classes = settings, asks(settings), Classes(settings.labels)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """A text as the tokenizer writes it, a conversation as its chat template does.

        Raises:
            UserError: TS-DATA-079 for a class that the setting `labels` does not name; TS-DATA-080 for a row of words; TS-DATA-020 for
                one without text.
        """
        if "tokens" in row:
            raise UserError(
                "TS-DATA-080", "The row has a class for each word, and `classify` learns one for the text",
                fix="Train with `classify-tokens`.",
            )  # fmt: skip
        if not (row.get("messages") or row.get("text", "").strip()):
            raise UserError("TS-DATA-020", "The row has no text", why="There is nothing to tell the class of.", fix="Remove the row.")
        told = row.get("messages")
        sequence = conversation_sequence(chat, told, row.get("tools") or ()) if told else text_sequence(chat, row["text"])
        return Group((sequence,), {CLASSES: [self.classes.number(row["label"])]})

    def weight(self, group: Group) -> float:
        """A row counts as one."""
        return 1.0

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the rows."""
        return cross_entropy.loss(batch)

    def formula(self, batch: MicroBatch) -> Any:
        """As the loss is written."""
        return cross_entropy.formula(batch)
