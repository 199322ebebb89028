"""What a data file is like, for a person who is about to train on it: ``tunesmith data inspect``."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.input_reader import InstalledProvider
from tunesmith_data.api import RowSchema, row_schema
from tunesmith_data.audit.finding import Finding
from tunesmith_data.formats.detection import Check, by_schema, detect
from tunesmith_data.formats.resemblance import is_blank, meant, named_columns
from tunesmith_data.line import Line
from tunesmith_data.media.references import media_of
from tunesmith_data.near_duplicates import NearDuplicates
from tunesmith_data.rows_file import read_file

KEPT = 200  # of each kind of finding
SHARE = 0.05
BINS = 10


@dataclass(frozen=True)
class Inspection:
    """What was found. Lengths are characters of the text that a format reads in a row, of all text where none fits; lines count from 1.

    Args:
        format, produces: the dataset format that fits best and what its rows become; empty if none fits.
        rows: rows that are usable in this format; `made`: what they become, which may be more.
        lengths: smallest, mean, median, 95th percentile, largest.
        histogram: (from, up to, rows) with the upper bound left out of the bin; the last bin takes the rest.
        broken: (line, what is wrong); empty: (line, what is empty there); duplicates: (line, line of the first).
        broken_count, empty_count, duplicate_count: all of them; the lists hold the first 200.
        sample: (line, row) of a twentieth of the rows, drawn by `seed`.
        unread: keys that the format does not read -> in how many rows they are there.
        meant: of those, the ones that differ by case alone from a key that it reads -> that key.
        media: types of part other than text -> how many rows have one.
        total: rows, broken ones included.
        labels: what the rows are examples of -> how many are; the first thousand of them.
        codes: of broken rows -> how many there are of each.
        first: the first rows as the format made them, in some kilobytes.
        problem: why no format fits: code, what, why, fix; None if one does.
        renaming: see `tunesmith_data.formats.detection.Detection`.
        left_out: rows that a filter leaves out; nothing else is told of them.
        audit: what speaks against training on the rows as a whole; `audited_by`: "characters", or the model whose tokens were counted.
    """

    path: str
    bytes: int
    format: str
    produces: tuple[str, ...]
    columns: Mapping[str, int]
    rows: int
    lengths: Mapping[str, float]
    histogram: tuple[tuple[int, int, int], ...]
    broken: tuple[tuple[int, str], ...]
    broken_count: int
    empty: tuple[tuple[int, str], ...]
    empty_count: int
    duplicates: tuple[tuple[int, int], ...]
    duplicate_count: int
    seed: int
    sample: tuple[tuple[int, Mapping[str, Any]], ...]
    unread: Mapping[str, int]
    total: int
    meant: Mapping[str, str]
    media: Mapping[str, int]
    made: int
    labels: Mapping[str, int]
    codes: Mapping[str, int]
    problem: Mapping[str, str] | None = None
    audit: tuple[Finding, ...] = ()
    audited_by: str = ""
    first: tuple[Mapping[str, Any], ...] = ()
    near_duplicates: int = 0
    compared: int = 0
    renaming: Mapping[str, str] = field(default_factory=dict)
    left_out: int = 0

    @property
    def usable(self) -> bool:
        """Whether all rows are."""
        return self.problem is None and not self.broken_count

    def to_json(self) -> dict[str, Any]:
        return asdict(replace(self, first=()))


def inspect(
    path: Path, installed: Mapping[str, InstalledProvider], *, seed: int = 0, share: float = SHARE,
    columns: Mapping[str, str] | None = None, check: Check = by_schema, roots: Sequence[Path] = (), near: bool = False,
) -> Inspection:  # fmt: skip
    """Tell what is in a file. Which rows are broken is what planning with it says, too.

    Args:
        installed, columns, check: see `tunesmith_data.formats.detection.detect`.
        near: whether to count the rows that are nearly an earlier one, too.
        roots: folders besides the file's own that the media of its rows may lie in.

    Raises:
        UserError: TS-DATA-001 or TS-DATA-006 when it can't be read, TS-DATA-002 when there is nothing in it.
    """
    columns = columns or {}
    found = detect(path, installed, columns=columns, check=check)
    record, verdict = found.record, found.verdict
    for problem in found.problems:
        if problem.code in ("TS-DATA-001", "TS-DATA-002", "TS-DATA-006"):
            raise problem
    if record:
        found = found.without(str(path), media_of(path, "", record.facts["row"], {}, roots, columns).wrong)
        verdict = found.verdict
    survey = _Survey(record, set(verdict.lines), random.Random(seed), share)
    survey.near = NearDuplicates() if near else None
    for line in read_file(path, columns):
        survey.add(line)
    useless = found.problems[0] if found.problems and record is None else None
    return Inspection(
        path=str(path), bytes=path.stat().st_size, format=record.name if record else "", produces=record.produces if record else (),
        columns=survey.columns, rows=len(survey.lengths) if record else 0, lengths=_summary(survey.lengths),
        histogram=histogram(survey.lengths), broken=tuple((one.line, one.reason) for one in verdict.broken),
        broken_count=len(survey.broken), empty=tuple(survey.empty),
        empty_count=survey.empty_count, duplicates=tuple(survey.duplicates), duplicate_count=survey.duplicate_count, seed=seed,
        sample=tuple(survey.sample), unread=verdict.unread, total=len(survey.lengths) + len(survey.broken),
        meant={key: meant(record, key) for key in verdict.unread if record and meant(record, key)}, media=verdict.media,
        made=verdict.made if record else 0, labels=verdict.labels, codes=verdict.codes, first=tuple(verdict.first),
        near_duplicates=survey.near.count if survey.near else 0, compared=survey.near.compared if survey.near else 0,
        renaming=found.renaming, left_out=survey.left_out,
        problem=None if useless is None else {"code": useless.code, "what": useless.what, "why": useless.why, "fix": useless.fix},
    )  # fmt: skip


class _Survey:
    """Counts that are kept while the rows pass: eight bytes and a hash a row, never the rows."""

    def __init__(self, record: InstalledProvider | None, broken: set[int], chance: random.Random, share: float) -> None:
        self.required = named_columns(record) if record else ()
        self.schema = row_schema(record) if record else RowSchema({})
        self.broken = broken
        self.chance, self.share = chance, share
        self.lengths = array("q")
        self.columns: dict[str, int] = {}
        self.seen: dict[bytes, int] = {}
        self.empty: list[tuple[int, str]] = []
        self.duplicates: list[tuple[int, int]] = []
        self.sample: list[tuple[int, Mapping[str, Any]]] = []
        self.near: NearDuplicates | None = None
        self.left_out = self.drawn = self.empty_count = self.duplicate_count = 0

    def add(self, line: Line) -> None:
        if line.problem:
            self.broken.add(line.number)
        elif line.left_out:
            self.left_out += 1
        elif line.row is None:
            self.note_empty(line.number, "the line")
        else:
            self.row(line.number, line.row)

    def row(self, number: int, row: Mapping[str, Any]) -> None:
        for name in row:
            self.columns[name] = self.columns.get(name, 0) + 1
        empty = [name for name in self.required if name in row and is_blank(row[name])]
        if empty or is_blank(row):
            self.note_empty(number, ", ".join(f"`{name}`" for name in empty) or "the row")
        if number in self.broken:
            return
        self.lengths.append(self.schema.characters(row))
        key = hashlib.blake2b(normal(row).encode("utf-8", "surrogatepass"), digest_size=12).digest()
        if (first := self.seen.setdefault(key, number)) != number:
            self.duplicate_count += 1
            if len(self.duplicates) < KEPT:
                self.duplicates.append((number, first))
        elif self.near:
            self.near.add(row)
        self.draw(number, row)

    def draw(self, number: int, row: Mapping[str, Any]) -> None:
        """Keep a share of the rows, at least one and at most `KEPT`, each as likely as the other."""
        if self.chance.random() >= self.share and self.sample:
            return
        self.drawn += 1
        if len(self.sample) < KEPT:
            self.sample.append((number, row))
        elif (place := self.chance.randrange(self.drawn)) < KEPT:
            self.sample[place] = (number, row)
            self.sample.sort(key=lambda item: item[0])

    def note_empty(self, number: int, what: str) -> None:
        self.empty_count += 1
        if len(self.empty) < KEPT:
            self.empty.append((number, what))


def normal(value: Any) -> str:
    """A row's text with case and white space evened out: rows that differ in nothing else are duplicates."""
    if isinstance(value, str):
        return repr(" ".join(value.split()).casefold())
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key!r}:{normal(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(normal, value)) + "]"
    return repr(value)


def histogram(lengths: array[int]) -> tuple[tuple[int, int, int], ...]:
    """Bins of one round width up to the 99th percentile; the last takes the rest."""
    if not lengths:
        return ()
    ranked = sorted(lengths)
    top = ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]
    width = next(w for power in range(1, 20) for w in (10**power, 2 * 10**power, 5 * 10**power) if w * BINS > top)
    count = min(BINS, top // width + 1)
    bins = [0] * count
    for size in ranked:
        bins[min(size // width, count - 1)] += 1
    highest = max(count * width, ranked[-1] + 1)
    return tuple((i * width, highest if i == count - 1 else (i + 1) * width, rows) for i, rows in enumerate(bins))


def _summary(lengths: array[int]) -> dict[str, float]:
    if not lengths:
        return {}
    ranked = sorted(lengths)
    return {
        "least": ranked[0], "mean": round(sum(ranked) / len(ranked), 1), "median": ranked[len(ranked) // 2],
        "p95": ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))], "most": ranked[-1], "total": sum(ranked),
    }  # fmt: skip
