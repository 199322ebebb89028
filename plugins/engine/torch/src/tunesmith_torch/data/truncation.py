"""What of the rows is trained on: how long they are, and what `max_length` leaves of them, or makes of them where they go on in pieces.

A piece begins with the last token of the one before it, which is not trained on there: each label is in one piece.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tunesmith.contracts import Step, UserError
from tunesmith_torch.api import Group, Objective, TokenSequence
from tunesmith_torch.data.packing import size
from tunesmith_torch.data.reference_log_probs import ReferenceLogProbs
from tunesmith_torch.data.tokenized_dataset import TokenizedDataset, group_size


class TruncatedRows(Sequence[Group]):
    """Some of the rows, cut to `max_length` tokens.

    Args:
        chosen: which of `rows`; one that goes on in pieces several times.
        sizes: tokens of each that run through the model.
        begins: the token of the row at which each begins.
        slots: places of each among all rows; left out: these are all.
    """

    def __init__(
        self, rows: TokenizedDataset, chosen: Iterable[int], sizes: Iterable[int], begins: Iterable[int], max_length: int,
        slots: Iterable[int] | None = None,
    ) -> None:  # fmt: skip
        self.rows, self.max_length = rows, max_length
        self.reference: ReferenceLogProbs | None = None  #: of all rows, where its log-probabilities were computed before training
        self.chosen, self.sizes, self.begins = array("q", chosen), array("q", sizes), array("q", begins)
        self.slots = array("q", range(len(self.chosen)) if slots is None else slots)

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        row, begin = self.chosen[at], self.begins[at]
        group = self.rows.piece(row, begin, self.max_length) if begin else _cut(self.rows[row], self.max_length)
        return group if self.reference is None else self.reference.of(group, self.slots[at])

    def __iter__(self) -> Iterator[Group]:
        return (self[at] for at in range(len(self)))

    def facts(self) -> Iterator[Mapping[str, Any]]:
        """Of each, see `Group.facts`."""
        return self.rows.facts(self.chosen)

    def numbers(self, places: Sequence[int]) -> list[int]:
        """Of those at `places`, from 1, as they stand in the data."""
        return [self.chosen[at] + 1 for at in places]

    def part(self, places: Sequence[int]) -> TruncatedRows:
        """Those at `places`."""
        chosen, sizes, begins, slots = ([values[at] for at in places] for values in (self.chosen, self.sizes, self.begins, self.slots))
        return TruncatedRows(self.rows, chosen, sizes, begins, self.max_length, slots)


def truncated_rows(
    rows: TokenizedDataset, objective: Objective, step: Step, *, max_length: int, truncation: str, what: str = "rows"
) -> TruncatedRows:  # fmt: skip
    """The rows that can be trained on; how long they are, and how many were cut or left out, is told.

    Args:
        what: they are, for messages.

    Raises:
        UserError: TS-DATA-034 for a row over `max_length` tokens when `truncation` is ``error``; TS-DATA-035 when no row is left;
            TS-DATA-043 when none has a trained token.
    """
    total = len(rows)
    if total:
        step.decide(*lengths(rows, what))
    if total and not any(rows.labelled):
        raise UserError(
            "TS-DATA-043", f"None of the {total} {what} has a trained token", why="Labels are on what the assistant says.",
            fix="`tunesmith data preview` shows where the labels are; rows need a message of the role `assistant`.",
        )  # fmt: skip
    chosen, sizes, begins = array("q"), array("q"), array("q")
    loss, mute, pieces = _Loss(), 0, _Pieces()
    for at in range(total):
        if rows.longest[at] <= max_length:
            mute += not rows.labelled[at]
            if rows.labelled[at]:
                chosen.append(at)
                sizes.append(rows.sizes[at])
                begins.append(0)
            continue
        if objective.asks.pieces and truncation == "auto":
            for begin, length in pieces.of(rows, at, max_length):
                chosen.append(at)
                sizes.append(length)
                begins.append(begin)
            continue
        whole = rows[at]
        group = _shorten(whole, at + 1, rows.longest[at], max_length, truncation)
        loss.add(whole, group)
        if group is not None:
            chosen.append(at)
            sizes.append(group_size(group))
            begins.append(0)
    if mute:
        step.log(f"{mute} of {total} {what} have no trained token and were left out", "warning")
    loss.tell(step, total, what, max_length, max(rows.longest, default=0))
    pieces.tell(step, total, what, max_length)
    if not chosen:
        raise UserError(
            "TS-DATA-035", f"None of the {total} {what} is left to train on", fix="Give more rows, or raise the setting `max_length`."
        )  # fmt: skip
    return TruncatedRows(rows, chosen, sizes, begins, max_length)


def lengths(rows: TokenizedDataset, what: str = "rows") -> tuple[str, str]:
    """What there is to learn, and how long the rows are."""
    ordered = sorted(rows.longest)
    marks = {"shortest": ordered[0], "median": ordered[len(ordered) // 2]}
    marks |= {"95%": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], "longest": ordered[-1]}
    told = ", ".join(f"{name} {count}" for name, count in marks.items())
    return (
        f"{len(rows)} {what} of {rows.total:,} tokens, {sum(rows.labelled):,} of them trained on",
        f"tokens of the longest sequence of a row: {told}" if rows.total > sum(ordered) else f"tokens of a row: {told}",
    )


class _Loss:
    """What `max_length` takes away."""

    def __init__(self) -> None:
        self.cut = self.dropped = self.tokens = self.labels = 0

    def add(self, whole: Group, left: Group | None) -> None:
        self.cut, self.dropped = self.cut + (left is not None), self.dropped + (left is None)
        kept = left.sequences if left is not None else ()
        self.tokens += sum(len(s.tokens) for s in whole.sequences) - sum(len(s.tokens) for s in kept)
        self.labels += sum(sum(s.labels) for s in whole.sequences) - sum(sum(s.labels) for s in kept)

    def tell(self, step: Step, total: int, what: str, max_length: int, longest: int) -> None:
        """The warning, if anything is lost."""
        done = [f"{self.cut} were cut"] * bool(self.cut) + [f"{self.dropped} were left out"] * bool(self.dropped)
        if done:
            step.log(
                f"{self.cut + self.dropped} of {total} {what} are longer than {max_length} tokens: {' and '.join(done)}, with "
                f"{self.tokens:,} tokens of which {self.labels:,} would be trained on. `max_length: {longest}` would lose none", "warning",
            )  # fmt: skip


class _Pieces:
    """Rows that go on in several."""

    def __init__(self) -> None:
        self.rows = self.count = 0

    def of(self, rows: TokenizedDataset, at: int, max_length: int) -> Iterator[tuple[int, int]]:
        """The token at which each piece of a row begins, and how many of it run through the model."""
        self.rows += 1
        for begin in range(0, rows.longest[at] - 1, max(1, max_length - 1)):
            if length := group_size(rows.piece(at, begin, max_length)):
                self.count += 1
                yield begin, length

    def tell(self, step: Step, total: int, what: str, max_length: int) -> None:
        if self.rows:
            step.decide(
                f"{self.rows} of {total} {what} are trained on in pieces, {self.count} in all",
                f"they are longer than the {max_length} tokens of `max_length`; with `truncation: auto` nothing of them is left out",
            )


def _cut(group: Group, max_length: int) -> Group:
    if all(len(sequence.tokens) <= max_length for sequence in (*group.sequences, *group.measured)):
        return group
    cut = [tuple(shortened(sequence, max_length) for sequence in part) for part in (group.sequences, group.measured)]
    return Group(cut[0], group.facts, cut[1])


def _shorten(group: Group, number: int, longest: int, max_length: int, truncation: str) -> Group | None:
    """The group with its sequences cut, or None to leave it out."""
    if truncation == "error":
        raise UserError(
            "TS-DATA-034", f"Row {number} has {longest} tokens; the longest allowed is {max_length}",
            fix="Shorten the row, raise the setting `max_length`, or set `truncation` to truncate or drop.",
        )  # fmt: skip
    # Cutting one of two answers that are compared would change which is better.
    if truncation == "drop" or (truncation == "auto" and len(group.sequences) > 1):
        return None
    left = _cut(group, max_length)
    return left if all(size(sequence) for sequence in left.sequences) else None


def shortened(sequence: TokenSequence, length: int) -> TokenSequence:
    """The first `length` tokens; less where the cut would go through what stands for a medium, which is then left out as a whole."""
    end = next((medium.start for medium in sequence.media if medium.start < length < medium.stop), length)
    media = [medium for medium in sequence.media if medium.stop <= end]
    places = [place for place in sequence.places if place < end]  # `LAST` stays the last one
    return TokenSequence(sequence.tokens[:end], sequence.labels[:end], media, tuple(places))
