"""Whether the rows of a file can be used: the one rule by which `data inspect`, planning and the step `prepare` judge.

A row is good if it fits the format's schema, the format converts it to a row that can be written, and the media that it names can be had.
Planning asks a worker, since what a plugin does is not done in the host's process.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.contracts import Result, Step
from tunesmith.contracts.untrusted_files import roots_of
from tunesmith.errors import TunesmithError, UserError
from tunesmith_data.api import LABELS, Row, RowSchema
from tunesmith_data.line import Line
from tunesmith_data.media.files import Look
from tunesmith_data.rows_file import read_file

KEPT = 200  # broken rows that are told with what is wrong
FIRST = 2**13  # characters of the first rows that are kept

CLASSES = 1000  # that are counted

Convert = Callable[[Mapping[str, Any]], Row | Sequence[Row]]


@dataclass(frozen=True)
class Broken:
    """A row that can't be used, with its line in the file."""

    line: int
    code: str
    what: str
    why: str = ""
    fix: str = ""

    @classmethod
    def of(cls, line: int, error: TunesmithError) -> Broken:
        return cls(line, error.code, error.what, error.why, error.fix)

    @property
    def reason(self) -> str:
        return self.what + (f" ({self.why.rstrip('.')})" if self.why else "")

    @property
    def sentence(self) -> str:
        return f"line {self.line}{'' if self.code == 'TS-DATA-003' else ':'} {self.reason}"


@dataclass(frozen=True)
class Verdict:
    """What a file's rows are in one format.

    Args:
        rows: that can be used; `made`: what they become, which may be more.
        characters: of all text in them.
        broken: the first that can't; `lines`: the lines of all.
        unread: keys that the format does not read -> in how many rows they are there.
        media: types of part other than text -> how many rows have one; nothing where the format itself was not asked.
        converted: whether the format itself was asked; else its schema alone.
        first: the first rows as the format made them; none where it was not asked, or where the first alone is too long.
        labels: what the rows are examples of -> how many times; the first `CLASSES` of them.
        codes: of broken rows -> how many there are of each.
        left_out: rows that a filter leaves out.
    """

    rows: int
    characters: int
    broken: tuple[Broken, ...] = ()
    lines: tuple[int, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
    media: Mapping[str, int] = field(default_factory=dict)
    converted: bool = True
    first: tuple[Row, ...] = ()
    made: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    left_out: int = 0

    def without(self, found: Iterable[tuple[int, TunesmithError]]) -> Verdict:
        """The verdict when so much more is wrong, by lines; a line that is broken anyway is told of once."""
        known = set(self.lines)
        more = {line: error for line, error in found if line not in known}
        broken = sorted([*self.broken, *(Broken.of(*one) for one in more.items())], key=lambda one: one.line)
        codes = Counter(self.codes) + Counter(error.code for error in more.values())
        return replace(
            self, rows=self.rows - len(more), broken=tuple(broken[:KEPT]), lines=tuple(sorted([*known, *more])), codes=dict(codes)
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        listed = {name: tuple(data[name]) for name in ("lines", "first")}
        return cls(**{**data, **listed, "broken": tuple(Broken(**one) for one in data["broken"])})


def judge(
    path: Path, schema: Mapping[str, Any], columns: Mapping[str, str], convert: Convert | None = None, tell: Callable[[int], None] = int,
    roots: Sequence[Path] = (),
) -> Verdict:  # fmt: skip
    """Read a file once, row by row.

    Args:
        convert: of the format; None: its schema alone judges.
        tell: called with the number of rows so far.
        roots: folders besides the file's own that media may lie in.

    Raises:
        OSError, NotRows: see `read_file`.
    """
    fitting, look = RowSchema(schema), Look(path.parent, roots_of(path.parent, roots))
    rows = characters = made = left_out = 0
    labels: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    first: list[Row] = []
    room = FIRST if convert else 0
    broken: list[Broken] = []
    lines: list[int] = []
    unread: dict[str, int] = {}
    media: dict[str, int] = {}
    for line in read_file(path, columns):
        left_out += line.left_out
        try:
            became = checked(line, fitting, convert)
            types = {type for row in became for type in look.row(row)} if convert else set()
        except TunesmithError as error:
            lines.append(line.number)
            codes[error.code] += 1
            if len(broken) < KEPT:
                broken.append(Broken.of(line.number, error))
            continue
        if line.row is None:
            continue
        rows, made, characters = rows + 1, made + len(became), characters + fitting.characters(line.row)
        for row in became if convert else ():
            room -= len(written(row)) if room > 0 else 0
            first += [row] if room > 0 else []
            _count_labels(row, labels)
        for key in fitting.unread(line.row):
            unread[key] = unread.get(key, 0) + 1
        for type in types:
            media[type] = media.get(type, 0) + 1
        tell(rows)
    return Verdict(
        rows, characters, tuple(broken), tuple(lines), unread, media, convert is not None, tuple(first), made, dict(labels), dict(codes),
        left_out,
    )  # fmt: skip


def _count_labels(row: Row, counts: Counter[str]) -> None:
    for label in (label for key in LABELS if key in row for label in (row[key] if isinstance(row[key], list) else [row[key]])):
        name = label if isinstance(label, str) else json.dumps(label)
        if name in counts or len(counts) < CLASSES:
            counts[name] += 1


def checked(line: Line, fitting: RowSchema | None, convert: Convert | None) -> tuple[Row, ...]:
    """The rows that a line's row becomes (itself, where nothing converts it); none of an empty line.

    Raises:
        TunesmithError: TS-DATA-003, or what the format says of the row.
    """
    if line.problem:
        raise UserError("TS-DATA-003", line.problem)
    if line.row is None:
        return ()
    if not line.row:
        raise UserError("TS-DATA-003", "is `{}`: a row without columns", fix="Remove the row.")
    found = [f"`{place}` {sentence}" if place else sentence for place, sentence in islice(fitting.problems(line.row), 3)] if fitting else []
    if found:
        raise UserError("TS-DATA-003", "; ".join(found))
    if convert is None:
        return (line.row,)
    try:
        made = convert(line.row)
        rows = (made,) if isinstance(made, Mapping) else tuple(made)
        for row in rows:
            written(row)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise UserError("TS-DATA-003", f"can't be used by the format ({type(error).__name__}: {error})") from error
    return rows


def written(row: Row) -> str:
    """A row as a line of a file, its keys in their order.

    Raises:
        ValueError: for what JSON in UTF-8 can't hold.
    """
    text = json.dumps(row, ensure_ascii=False, allow_nan=False)
    text.encode()
    return text


def run(step: Step) -> Result:
    """In a worker: the verdict on the step's file, as the result's meta."""

    def tell(rows: int) -> None:
        if rows % 256 == 0:
            step.progress(rows, what="checking", unit="rows")
            step.check_cancelled()

    settings, convert = step.settings, step.provider("dataset_format").convert
    found = judge(step.inputs["file"].path, settings.row, settings.columns, convert, tell, step.roots)
    return Result(meta=found.to_json())
