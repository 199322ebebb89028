"""A copy of a data file without what `inspect` finds wrong with single rows: ``tunesmith data fix``. Nothing is changed within a row unless
personal data is to be masked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tunesmith.contracts.kinds.input_reader import InstalledProvider
from tunesmith_data.check.verdict import written
from tunesmith_data.contamination.files import compared_rows
from tunesmith_data.formats.detection import Check, detect
from tunesmith_data.formats.resemblance import is_blank, named_columns
from tunesmith_data.inspection import normal
from tunesmith_data.languages.by_words import language_of
from tunesmith_data.media.references import media_of
from tunesmith_data.near_duplicates import NearDuplicates
from tunesmith_data.pii.finder import masked
from tunesmith_data.rows_file import read_file
from tunesmith_data.text_facts.data_facts import texts_in

FILTERED, NAMED, TOKENS, BROKEN, EMPTY, LENGTH, LANGUAGE = "filter", "named", "tokens", "broken", "empty", "length", "language"
DUPLICATE, NEAR, EVALUATED = "duplicate", "near-duplicate", "evaluation"
REASONS = (
    FILTERED,
    NAMED,
    BROKEN,
    EMPTY,
    LENGTH,
    LANGUAGE,
    DUPLICATE,
    NEAR,
    EVALUATED,
    TOKENS,
)  #: in the order in which a row is looked at


@dataclass(frozen=True)
class Wanted:
    """Which rows are wanted.

    Args:
        least, most: characters of all texts in a row; None: any.
        languages: of those whose language can be told; empty: any.
    """

    least: int | None = None
    most: int | None = None
    languages: tuple[str, ...] = ()

    def refused(self, row: Mapping[str, Any]) -> tuple[str, str] | None:
        """The reason and what is so of the row; None where it is wanted."""
        if (self.least, self.most, self.languages) == (None, None, ()):
            return None
        text = "\n".join(texts_in(row))
        if (self.least is not None and len(text) < self.least) or (self.most is not None and len(text) > self.most):
            return LENGTH, f"has {len(text)} characters"
        spoken = language_of(text) if self.languages else ""
        return (LANGUAGE, f"is in `{spoken}`") if spoken and spoken not in self.languages else None


@dataclass
class FixedCopy:
    """
    Args:
        format: that fits the rows best.
        kept: rows that are left; `rows`: rows that there are.
        left_out: reason (of `REASONS`) -> (line, what about it), all of them.
        masked: kind of personal data -> lines of the rows that are left and have some, which is masked in the copy; None: it is left.
    """

    format: str
    kept: int = 0
    rows: int = 0
    left_out: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: {reason: [] for reason in REASONS})
    masked: dict[str, list[int]] | None = None

    @property
    def lines(self) -> set[int]:
        return {line for found in self.left_out.values() for line, _ in found}


def fixed_copy(
    path: Path, installed: Mapping[str, InstalledProvider], *, columns: Mapping[str, str], check: Check, roots: Sequence[Path] = (),
    keep: Sequence[str] = (), near: bool = False, against: Path | None = None, against_filter: str = "", mask: bool = False,
    wanted: Wanted = Wanted(), without: Collection[int] = (), tokens: Mapping[int, str] = MappingProxyType({}),
) -> FixedCopy:  # fmt: skip
    """What is to be left out, and why.

    Args:
        installed, columns, check: see `tunesmith_data.formats.detection.detect`.
        roots: folders besides the file's own that the media of its rows may lie in.
        keep: reasons for which nothing is left out. Broken rows always are: they can't be used.
        near: whether rows that are nearly an earlier one are left out; at most 20,000 are compared.
        against: rows for evaluation, which should not be trained on; of them those that `against_filter` keeps.
        wanted: which rows are; `without`: lines that are not.
        tokens: lines of which something is told by a model's tokens -> what is.
        mask: whether personal data in the rows that are left is to be masked.

    Raises:
        UserError: where it can't be read, or no format fits it.
    """
    found = detect(path, installed, columns=columns, check=check)
    if found.record is None:
        raise found.problems[0]
    found = found.without(str(path), media_of(path, "", found.record.facts["row"], {}, roots, columns).wrong)
    reasons = {one.line: one.reason for one in found.verdict.broken}
    copy, broken, required = FixedCopy(found.record.name), set(found.verdict.lines), named_columns(found.record)
    seen: dict[bytes, int] = {}
    alike = NearDuplicates() if near else None
    for line in read_file(path, columns):
        if line.row is None and not line.problem and not line.left_out:
            continue
        copy.rows += 1
        if line.left_out:
            copy.left_out[FILTERED].append((line.number, ""))
            continue
        if line.number in without:
            copy.left_out[NAMED].append((line.number, ""))
        elif reason := _reason(line.number, line.row, broken, reasons, required, seen, alike, keep, wanted):
            copy.left_out[reason[0]].append((line.number, reason[1]))
        elif line.number in tokens:
            copy.left_out[TOKENS].append((line.number, tokens[line.number]))
    if against and EVALUATED not in keep:
        _leave_out_evaluated(copy, path, columns, against, against_filter)
    copy.kept = copy.rows - len(copy.lines)
    if mask:
        copy.masked = {}
        for number, row in rows_left(path, columns, copy):
            for kind in dict.fromkeys(masked(row)[1]):
                copy.masked.setdefault(kind, []).append(number)
    return copy


def rows_left(path: Path, columns: Mapping[str, str], copy: FixedCopy) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows that are left, with their lines."""
    out = copy.lines
    yield from ((line.number, line.row) for line in read_file(path, columns) if line.row and line.number not in out)


def lines_left(path: Path, columns: Mapping[str, str], copy: FixedCopy) -> Iterator[str]:
    """The same as lines of a file."""
    rows = (row for _, row in rows_left(path, columns, copy))
    return (written(row if copy.masked is None else masked(row)[0]) + "\n" for row in rows)


def _reason(
    number: int, row: Mapping[str, Any] | None, broken: set[int], reasons: Mapping[int, str], required: Sequence[str],
    seen: dict[bytes, int], alike: NearDuplicates | None, keep: Sequence[str],
    wanted: Wanted,
) -> tuple[str, str] | None:  # fmt: skip
    """Why a row is left out, if it is."""
    if row is None or number in broken:
        return BROKEN, reasons.get(number, "")
    empty = [name for name in required if name in row and is_blank(row[name])]
    if empty and EMPTY not in keep:
        return EMPTY, ", ".join(f"`{name}`" for name in empty)
    if unwanted := wanted.refused(row):
        return unwanted
    key = hashlib.blake2b(normal(row).encode("utf-8", "surrogatepass"), digest_size=12).digest()
    first = seen.setdefault(key, number)
    if first != number and DUPLICATE not in keep:
        return DUPLICATE, f"is line {first} again"
    if alike and first == number:
        before = alike.count
        alike.add(row)
        if alike.count > before:
            return NEAR, "is nearly an earlier one"
    return None


def _leave_out_evaluated(copy: FixedCopy, path: Path, columns: Mapping[str, str], against: Path, filter: str) -> None:
    """Each look tells of a row for evaluation one row that it is in, so there are looks until nothing is found."""
    while matches := compared_rows(against, rows_left(path, columns, copy), filter)[0]:
        out = {one.train_line: one for one in reversed(matches)}
        copy.left_out[EVALUATED] += [(line, f"{one.how}: line {one.line} of {against}") for line, one in sorted(out.items())]
