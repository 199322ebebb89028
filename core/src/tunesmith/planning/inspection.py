"""What a data file is like, for a person who is about to train on it: ``tunesmith data inspect``."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.settings import problems as misfits
from tunesmith.planning.row_formats import best, characters, is_blank, required
from tunesmith.plugins.records import ProviderRecord
from tunesmith.verbs.rows_file import Line, read_file

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

SAMPLED = 50  # rows by which the format is told
KEPT = 200  # of each kind of finding
SHARE = 0.05
BINS = 10


@dataclass(frozen=True)
class Inspection:
    """What was found. Lengths are characters of all text in a row; lines count from 1.

    Args:
        format, produces: the dataset format that fits best and what its rows become; empty if none fits.
        rows: rows that are usable in this format.
        lengths: smallest, mean, median, 95th percentile, largest.
        histogram: (from, up to, rows) with the upper bound left out of the bin; the last bin takes the rest.
        broken: (line, what is wrong); empty: (line, what is empty there); duplicates: (line, line of the first).
        broken_count, empty_count, duplicate_count: all of them; the lists hold the first 200.
        sample: (line, row) of a twentieth of the rows, drawn by `seed`.
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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def inspect(path: Path, registry: Registry, *, seed: int = 0, share: float = SHARE) -> Inspection:
    """Read a file once, row by row, and tell what is in it.

    Raises:
        UserError: TS-DATA-001 or TS-DATA-006 when it can't be read, TS-DATA-002 when there is nothing in it.
    """
    from tunesmith.errors import UserError
    from tunesmith.planning.datasets import unreadable
    from tunesmith.verbs.rows_file import NotRows

    try:
        record = _format(path, registry)
        survey = _Survey(record, random.Random(seed), share)
        for line in read_file(path):
            survey.add(line)
        size = path.stat().st_size
    except NotRows as error:
        raise UserError("TS-DATA-006", f"{path} can't be read as rows: {error}", fix=error.fix) from None
    except OSError as error:
        raise unreadable(path, str(path), error) from None
    if not survey.lengths and not survey.broken_count:
        raise UserError("TS-DATA-002", f"{path} has no rows", fix="Put one JSON object a line into it.")
    return Inspection(
        path=str(path), bytes=size, format=record.name if record else "", produces=record.produces if record else (),
        columns=survey.columns, rows=len(survey.lengths), lengths=_summary(survey.lengths), histogram=histogram(survey.lengths),
        broken=tuple(survey.broken), broken_count=survey.broken_count, empty=tuple(survey.empty), empty_count=survey.empty_count,
        duplicates=tuple(survey.duplicates), duplicate_count=survey.duplicate_count, seed=seed, sample=tuple(survey.sample),
    )  # fmt: skip


class _Survey:
    """Counts that are kept while the rows pass: eight bytes and a hash a row, never the rows."""

    def __init__(self, record: ProviderRecord | None, chance: random.Random, share: float) -> None:
        self.schema: Mapping[str, Any] = record.facts["row"] if record else {}
        self.required = required(record) if record else ()
        self.chance, self.share = chance, share
        self.lengths = array("q")
        self.columns: dict[str, int] = {}
        self.seen: dict[bytes, int] = {}
        self.broken: list[tuple[int, str]] = []
        self.empty: list[tuple[int, str]] = []
        self.duplicates: list[tuple[int, int]] = []
        self.sample: list[tuple[int, Mapping[str, Any]]] = []
        self.drawn = self.broken_count = self.empty_count = self.duplicate_count = 0

    def add(self, line: Line) -> None:
        if line.problem:
            self.break_off(line.number, line.problem)
        elif line.row is None:
            self.note_empty(line.number, "the line")
        else:
            self.row(line.number, line.row)

    def row(self, number: int, row: Mapping[str, Any]) -> None:
        for name in row:
            self.columns[name] = self.columns.get(name, 0) + 1
        empty = [name for name in self.required if name in row and is_blank(row[name])]
        found = [f"`{place}` {sentence}" if place else sentence for place, sentence in islice(misfits(self.schema, row), 3)]
        if empty or is_blank(row):
            self.note_empty(number, ", ".join(f"`{name}`" for name in empty) or "the row")
        if found:
            self.break_off(number, "; ".join(found))
            return
        self.lengths.append(characters(row))
        key = hashlib.blake2b(normal(row).encode("utf-8", "surrogatepass"), digest_size=12).digest()
        if (first := self.seen.setdefault(key, number)) != number:
            self.duplicate_count += 1
            if len(self.duplicates) < KEPT:
                self.duplicates.append((number, first))
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

    def break_off(self, number: int, sentence: str) -> None:
        self.broken_count += 1
        if len(self.broken) < KEPT:
            self.broken.append((number, sentence))

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
    for length in ranked:
        bins[min(length // width, count - 1)] += 1
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


def _format(path: Path, registry: Registry) -> ProviderRecord | None:
    formats = [record for record in registry.providers("dataset_format").values() if record.facts.get("row")]
    rows = list(islice((line.row for line in read_file(path) if line.row is not None), SAMPLED))
    return best(formats, rows) if rows else None
