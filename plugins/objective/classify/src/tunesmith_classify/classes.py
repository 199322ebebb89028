"""Which class a row's label is. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tunesmith.contracts import UserError

TOLD = 20  # classes in a message


def refuse_labels(labels: Sequence[str | int]) -> None:
    """
    Raises:
        UserError: TS-TRAIN-101 for names of classes where the model gives a number.
    """
    if labels:
        raise UserError(
            "TS-TRAIN-101", "`labels` names classes, and with `problem_type: regression` the model gives a number",
            fix="Leave one of the two out.",
        )  # fmt: skip


class Classes:
    """The setting `labels`: names, or numbers as names. Where no name is a number, a row may also give a class by its place, from 0. Where
    there are no names rows can be shown, and not be trained on (`check_number`).

    Raises:
        UserError: TS-TRAIN-101 for one alone, or one twice.

    Args:
        found: those that the data has, as far as that is known.
    """

    def __init__(self, labels: Sequence[str | int], found: Iterable[str] = ()) -> None:
        self.names = tuple(map(str, labels))
        known = sorted(found)
        if len(self.names) == 1:
            self.check_number(known)
        if twice := next((name for name in self.names if self.names.count(name) > 1), ""):
            raise UserError("TS-TRAIN-101", f"`labels` names {twice!r} twice", fix="Name each class once.")
        self._places = not any(name.lstrip("-").isdigit() for name in self.names)
        if self.names and (others := [name for name in known if self._number(name) is None]):
            raise self._unknown(others)

    def check_number(self, found: Sequence[str] = ()) -> None:
        """
        Raises:
            UserError: TS-TRAIN-101 for fewer than two.
        """
        if len(self.names) < 2:
            fix = f"Write `labels: [{', '.join(found[:TOLD])}]`: those are in the data." if 1 < len(found) <= TOLD else ""
            raise UserError(
                "TS-TRAIN-101", f"`labels` names {len(self.names)} classes, and a classifier needs two at least",
                why="How many numbers the model gives follows from it.", fix=fix or "Write all classes that rows may have into `labels`.",
            )  # fmt: skip

    def number(self, label: str | int | float) -> int:
        """
        Raises:
            UserError: TS-DATA-079 for a label that is none of the classes.
        """
        found = self._number(str(label))
        if found is None:
            raise self._unknown([str(label)])
        return found

    def _number(self, label: str) -> int | None:
        if label in self.names:
            return self.names.index(label)
        at = int(label) if self._places and label.isdigit() else len(self.names)
        return at if at < len(self.names) else None

    def _unknown(self, others: Sequence[str]) -> UserError:
        told = ", ".join(repr(name) for name in others[:TOLD]) + (f" and {len(others) - TOLD} more" if len(others) > TOLD else "")
        return UserError(
            "TS-DATA-079", f"Rows have the class {told}, and `labels` names {', '.join(map(repr, self.names[:TOLD]))}",
            fix="Add it to the setting `labels`, or leave such rows out.",
        )  # fmt: skip
