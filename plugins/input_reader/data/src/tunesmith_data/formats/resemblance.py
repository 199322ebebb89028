"""Rows against the row schemas of dataset formats."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from tunesmith.contracts.kinds.input_reader import InstalledProvider
from tunesmith_data.api import alternatives, row_schema
from tunesmith_data.shape.rows import renamed

SETS = 3  # of columns, that a message tells of


def best(formats: Sequence[InstalledProvider], rows: Sequence[Mapping[str, Any]]) -> InstalledProvider | None:
    """Of the formats that at least half of the rows fit, the one that requires most keys: rows that a laxer format would take without
    some of their columns are broken ones."""
    columns = {key for row in rows for key in row}
    ranked = [(len(required(record, columns)), _fitting(record, rows), record) for record in formats]
    ranked = [entry for entry in ranked if entry[1] * 2 >= len(rows)]
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def required(record: InstalledProvider, columns: Collection[str] = ()) -> tuple[str, ...]:
    """Columns that a format can't do without. Of several sets the largest that is whole among `columns`, else the one of which most is
    there; in doubt the first."""
    sets = [tuple(option.get("required", ())) for option in alternatives(record.facts["row"])]
    return max(sets, key=lambda names: (set(names) <= set(columns), len(set(names) & set(columns))))


def named_columns(record: InstalledProvider) -> tuple[str, ...]:
    """All columns that a format can't do without in one form or another."""
    return tuple(dict.fromkeys(name for option in alternatives(record.facts["row"]) for name in option.get("required", ())))


def columns_of(record: InstalledProvider) -> str:
    """The columns that a format requires, as a person lists them."""
    sets = [", ".join(f"`{name}`" for name in option.get("required", ())) for option in alternatives(record.facts["row"])]
    return " or ".join(sets[:SETS]) + (" or others" if len(sets) > SETS else "") or "no particular column"


def meant(record: InstalledProvider, key: str) -> str:
    """The column that a format reads and that another one differs from by case alone: ``input`` for ``Input``; empty if there is none."""
    known = record.facts["row"].get("properties", {})
    return next((name for name in known if name != key and name.casefold() == key.strip().casefold()), "")


def requiring(formats: Mapping[str, InstalledProvider], key: str, format: str) -> list[str]:
    """The formats whose rows have to have a column, of those that become something else than `format`: what the column may be there for."""
    return sorted(record.name for record in formats.values() if format not in record.produces and key in named_columns(record))


def likeness(record: InstalledProvider, columns: Sequence[str], *, half: bool = False) -> float:
    """How much columns resemble those required: 1 when they are all there, 0 when there is no resemblance.

    Args:
        half: whether half of them is some, where one of that is there by its name.
    """
    names = required(record, columns)
    folded = [column.casefold() for column in columns]
    near = [1.0 if name in columns else 0.75 if get_close_matches(name.casefold(), folded, n=1, cutoff=0.7) else 0.0 for name in names]
    least = len(near) / 2
    return sum(near) / len(near) if near and (sum(near) > least or (half and sum(near) == least and 1.0 in near)) else 0.0


def resemblance(record: InstalledProvider, columns: Sequence[str], *, half: bool = False) -> tuple[float, int]:
    """What to rank formats by for columns that fit none: their likeness, then, as `best` does, how many keys they require."""
    return likeness(record, columns, half=half), len(required(record, columns))


def mapping(formats: Sequence[InstalledProvider], rows: Sequence[Mapping[str, Any]]) -> tuple[InstalledProvider, dict[str, str]] | None:
    """The format, and the columns under which it would read these rows; None if that can't be told.

    A column is known by a name like the one wanted, or by one that the format's fact ``aliases`` has for it.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    for record in sorted(formats, key=lambda record: resemblance(record, columns), reverse=True):
        found: dict[str, str] = {}
        wanted_names = required(record, columns)
        for name in wanted_names:
            left = [column for column in columns if column not in found.values() and column not in wanted_names]
            names = [name, *record.facts.get("aliases", {}).get(name, ())]
            match = next((column for wanted in names for column in left if column.casefold() == wanted.casefold()), None)
            match = match or next(iter(get_close_matches(name, left, n=1, cutoff=0.7)), None)
            if name not in columns and match:
                found[name] = match
        whole = found and all(name in columns or name in found for name in wanted_names)
        if whole and _fitting(record, [renamed(row, found) for row in rows]) * 2 >= len(rows):
            return record, found
    return None


def _fitting(record: InstalledProvider, rows: Sequence[Mapping[str, Any]]) -> int:
    sets = [option.get("required", ()) for option in alternatives(record.facts["row"])]
    having = [row for row in rows if any(all(name in row for name in names) for names in sets)]
    if len(having) * 2 < len(rows):
        return 0  # most schemas need not be looked at any further
    return sum(map(row_schema(record).fits, having))


def is_blank(value: Any) -> bool:
    """Whether there is no text in it but white space, and no number."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, (Mapping, list)):
        return all(map(is_blank, value.values() if isinstance(value, Mapping) else value))
    return value is None
