"""Rows to the groups of token sequences that an objective trains on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tunesmith.contracts import Group, Objective, Row, Step, TokenSequence, UserError
from tunesmith_torch.packed import size


def encode_rows(rows: Iterable[Row], objective: Objective, chat: Any, step: Step, *, max_length: int, overlong: str) -> list[Group]:
    """The groups of `rows` in their order; how many were cut or left out is told in the log.

    Raises:
        UserError: TS-DATA-034 for a row over `max_length` tokens when `overlong` is ``error``; TS-DATA-035 when no row is left; what
            the objective raises for a row, with the row's number.
    """
    groups: list[Group] = []
    cut = dropped = 0
    rows = list(rows)
    for number, row in enumerate(rows, 1):
        group = _numbered(objective, row, chat, number)
        longest = max(len(sequence.tokens) for sequence in group.sequences)
        if longest > max_length:
            group = _shorten(group, number, longest, max_length, overlong)
            cut, dropped = cut + (group is not None), dropped + (group is None)
        if group is not None:
            groups.append(group)
        if number % 256 == 0 or any(part["type"] != "text" for turn in row["messages"] for part in turn["content"]):
            step.check_cancelled()
            step.progress(number, len(rows), what="tokenize", unit="rows")
    step.progress(len(rows), len(rows), what="tokenize", unit="rows")
    if cut:
        step.log(f"{cut} of {len(rows)} rows are longer than {max_length} tokens and were cut (setting `max_length`)", "warning")
    if dropped:
        step.log(f"{dropped} of {len(rows)} rows are longer than {max_length} tokens and were left out (setting `max_length`)", "warning")
    if not groups:
        raise UserError(
            "TS-DATA-035", f"None of the {len(rows)} rows is left to train on", fix="Give more rows, or raise the setting `max_length`."
        )  # fmt: skip
    return groups


def _numbered(objective: Objective, row: Row, chat: Any, number: int) -> Group:
    try:
        return objective.encode(row, chat)
    except UserError as error:
        raise UserError(error.code, f"Row {number}: {error.what}", why=error.why, fix=error.fix) from error


def _shorten(group: Group, number: int, longest: int, max_length: int, overlong: str) -> Group | None:
    """The group with its sequences cut, or None to leave it out."""
    if overlong == "error":
        raise UserError(
            "TS-DATA-034", f"Row {number} has {longest} tokens; the longest allowed is {max_length}",
            fix="Shorten the row, raise the setting `max_length`, or set `overlong` to truncate or drop.",
        )  # fmt: skip
    # Cutting one of two answers that are compared would change which is better.
    if overlong == "drop" or (overlong == "auto" and len(group.sequences) > 1):
        return None
    sequences = tuple(shortened(sequence, max_length) for sequence in group.sequences)
    return Group(sequences, group.facts) if all(size(s) for s in sequences) else None


def shortened(sequence: TokenSequence, length: int) -> TokenSequence:
    """The first `length` tokens; less where the cut would go through what stands for a medium, which is then left out as a whole."""
    end = next((medium.start for medium in sequence.media if medium.start < length < medium.stop), length)
    media = [medium for medium in sequence.media if medium.stop <= end]
    return TokenSequence(sequence.tokens[:end], sequence.labels[:end], media)
