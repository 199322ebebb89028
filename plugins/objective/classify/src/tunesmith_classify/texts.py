"""The objective `classify`: a class, several, or a number, for each text or conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_classify import binary_cross_entropy, cross_entropy, squared_error
from tunesmith_classify.asks import REGRESSION, SEVERAL, asks
from tunesmith_classify.classes import Classes, refuse_labels
from tunesmith_classify.cross_entropy import CLASSES
from tunesmith_classify.settings import TextSettings
from tunesmith_classify.squared_error import NUMBER
from tunesmith_data.api import Row
from tunesmith_torch.api import ChatEncoder, Group, LossSum, MicroBatch
from tunesmith_torch.api.scoring import conversation_sequence, text_sequence


class TextClassifier:
    """One sequence per row, with its class or classes at its end.

    Raises:
        UserError: TS-TRAIN-101 for a setting `labels` with one class alone, or one twice.
    """

    def __init__(self, settings: TextSettings) -> None:
        self.settings, self.asks = settings, asks(settings)
        self.classes = Classes(settings.labels) if settings.problem_type != REGRESSION else None
        self._loss = {REGRESSION: squared_error, SEVERAL: binary_cross_entropy}.get(settings.problem_type, cross_entropy)
        if self.classes is None:
            refuse_labels(settings.labels)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """A text as the tokenizer writes it, a conversation as its chat template does.

        Raises:
            UserError: TS-DATA-079 for a class that the setting `labels` does not name; TS-DATA-080 for a row of words, or of several
                classes where it should have one; TS-DATA-020 for one without text.
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
        return Group((sequence,), self._facts(row))

    def _facts(self, row: Row) -> dict[str, Any]:
        several = self.settings.problem_type == SEVERAL
        if several != ("labels" in row):
            has, wants = ("a list of classes", "one") if "labels" in row else ("one class", "a list of them as `labels`")
            raise UserError(
                "TS-DATA-080", f"The row has {has}, and with `problem_type: {self.settings.problem_type}` a row has {wants}",
                fix=f"Train with `problem_type: {'single_label_classification' if several else SEVERAL}`, or change the rows.",
            )  # fmt: skip
        if self.classes:
            known = row["labels"] if several else [row["label"]]
            return {CLASSES: sorted(map(self.classes.number, known))} if self.classes.names else {}
        label = row["label"]
        if isinstance(label, str):
            raise UserError(
                "TS-DATA-079", f"Rows have the class {label!r}, and with `problem_type: regression` a label is a number",
                fix="Write numbers, or name the classes in the setting `labels` and leave `problem_type` out.",
            )  # fmt: skip
        return {NUMBER: float(label)}

    def read_facts(self, facts: Iterable[Mapping[str, Any]]) -> Sequence[str]:
        """
        Raises:
            UserError: TS-TRAIN-101 without classes to learn.
        """
        if self.classes:
            self.classes.check_number()
        return ()

    def weight(self, group: Group) -> float:
        """A row counts as one."""
        return 1.0

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the rows."""
        return self._loss.loss(batch)

    def formula(self, batch: MicroBatch) -> Any:
        """As the loss is written."""
        return self._loss.formula(batch)
