"""Rows against the row schemas of dataset formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.contracts.settings import problems as misfits
from tunesmith.plugins.records import ProviderRecord
from tunesmith.verbs.rows_file import Line, read_file


def best(formats: Sequence[ProviderRecord], rows: Sequence[Mapping[str, Any]]) -> ProviderRecord | None:
    """Of the formats that at least half of the rows fit, the one that requires most keys: rows that a laxer format would take without
    some of their columns are broken ones."""
    ranked = [(len(required(record)), sum(_fits(record, row) for row in rows), record) for record in formats]
    ranked = [entry for entry in ranked if entry[1] * 2 >= len(rows)]
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def required(record: ProviderRecord) -> tuple[str, ...]:
    """Columns that a format can't do without."""
    return tuple(record.facts["row"].get("required", ()))


def checked_lines(path: Path, schema: Mapping[str, Any]) -> Iterator[Line]:
    """The file's lines, a row that misses the schema told as a problem."""
    for line in read_file(path):
        if line.row is None:
            yield line
            continue
        found = [f"`{place}` {sentence}" if place else sentence for place, sentence in islice(misfits(schema, line.row), 3)]
        yield line._replace(problem="; ".join(found)) if found else line


def columns_of(record: ProviderRecord) -> str:
    """The columns that a format requires, as a person lists them."""
    return ", ".join(f"`{name}`" for name in required(record)) or "no particular column"


def likeness(record: ProviderRecord, columns: Sequence[str]) -> float:
    """How much columns resemble those required: 1 when they are all there, 0 when there is no resemblance."""
    names = required(record)
    near = [1.0 if name in columns else 0.75 if get_close_matches(name, columns, n=1, cutoff=0.7) else 0.0 for name in names]
    return sum(near) / len(near) if near and sum(near) * 2 > len(near) else 0.0


def _fits(record: ProviderRecord, row: Mapping[str, Any]) -> bool:
    return next(iter(misfits(record.facts["row"], row)), None) is None


def is_blank(value: Any) -> bool:
    """Whether there is no text in it but white space, and no number."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, (Mapping, list)):
        return all(map(is_blank, value.values() if isinstance(value, Mapping) else value))
    return value is None


def characters(value: Any) -> int:
    """Length of all text in a row."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(characters, value.values()))
    return sum(map(characters, value)) if isinstance(value, list) else 0
