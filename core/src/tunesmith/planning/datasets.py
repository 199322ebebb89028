"""Which format a data file's rows have, and which rows are broken: found from the formats' row schemas alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tunesmith.contracts.artifacts import fits
from tunesmith.contracts.settings import problems as misfits
from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith.planning.grammar import listed
from tunesmith.planning.inspection import Inspection, inspect
from tunesmith.planning.row_formats import best, characters, checked_lines, columns_of, likeness, required
from tunesmith.plugins.records import ProviderRecord
from tunesmith.verbs.rows_file import Line, NotRows, read_file

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

SAMPLE = 50  # rows by which the format is told
SHOWN = 8  # broken rows that an error names

__all__ = ["Detection", "Inspection", "detect", "inspect"]


class Detection(NamedTuple):
    """What a file holds.

    Args:
        record: the dataset format; None if none fits.
        problems: why the file can't be used as wanted; empty if it can.
        format: of the artifact that its rows become.
        rows, characters: how many, and the length of all text in them.
    """

    record: ProviderRecord | None
    problems: list[TunesmithError]
    format: str = ""
    rows: int = 0
    characters: int = 0


def detect(path: Path, registry: Registry, wanted: Sequence[str] = ("dataset/*",), *, shown: str = "", reader: str = "") -> Detection:
    """Find the format of a file's rows and check every row.

    Args:
        wanted: artifact formats that the reader takes.
        shown: how the user calls the file (default: the path).
        reader: who wants it, for errors.
    """
    shown = shown or str(path)
    formats = [record for record in registry.providers("dataset_format").values() if record.facts.get("row")]
    try:
        sample = list(islice((line for line in read_file(path) if line.row is not None or line.problem), SAMPLE))
        rows = [line.row for line in sample if line.row is not None]
        if not sample:
            return _nothing("TS-DATA-002", f"{shown} has no rows", "", "Put one JSON object a line into it.")
        if not rows:
            return Detection(None, [_broken(shown, list(islice(_problems(path, {}), SHOWN)), 0, at_least=True)])
        useful = [record for record in formats if any(fits(format, wanted) for format in record.produces)]
        record = best(useful, rows)
        if record is None:
            return Detection(None, [_no_format(shown, rows, sample, formats, useful, wanted, reader)])
        return _checked(path, shown, record, next(format for format in record.produces if fits(format, wanted)))
    except NotRows as error:
        return _nothing("TS-DATA-006", f"{shown} can't be read as rows: {error}", "", error.fix)
    except OSError as error:
        return Detection(None, [unreadable(path, shown, error)])


def unreadable(path: Path, shown: str, error: OSError | ValueError) -> TunesmithError:
    """TS-DATA-001 for a file that isn't there, with what lies near it; TS-DATA-006 for one that can't be read."""
    if not isinstance(error, FileNotFoundError):
        why = "It is a directory." if isinstance(error, IsADirectoryError) else str(getattr(error, "strerror", None) or error)
        return UserError("TS-DATA-006", f"{shown} can't be read", why=why, fix="Name a file that you may read.")
    folder = path.parent
    if not os.path.isdir(folder):
        return UserError("TS-DATA-001", f"There is no file {shown}", why=f"There is no directory {folder} either.", fix="Correct the path.")
    entries = islice(os.scandir(folder), 1000) if os.access(folder, os.R_OK) else ()
    names = [entry.name for entry in entries if entry.is_file()]
    why = f"It was looked for in {folder.absolute()}." if not Path(shown).is_absolute() else ""
    return UserError(
        "TS-DATA-001", f"There is no file {shown}", why=why, fix=did_you_mean(path.name, names) if names else "Correct the path."
    )


def _checked(path: Path, shown: str, record: ProviderRecord, format: str) -> Detection:
    count = length = wrong = 0
    first: list[Line] = []
    for line in checked_lines(path, record.facts["row"]):
        if line.problem:
            wrong += 1
            if len(first) < SHOWN:
                first.append(line)
        elif line.row is not None:
            count += 1
            length += characters(line.row)
    if first:
        return Detection(record, [_broken(shown, first, wrong, rows=count + wrong, record=record)], format, count, length)
    return Detection(record, [], format, count, length)


def _problems(path: Path, schema: Mapping[str, Any]) -> Iterator[Line]:
    return (line for line in checked_lines(path, schema) if line.problem)


def _broken(
    shown: str, first: Sequence[Line], wrong: int, *, rows: int = 0, record: ProviderRecord | None = None, at_least: bool = False
) -> TunesmithError:  # fmt: skip
    lines = "; ".join(f"line {line.number} {line.problem}" for line in first)
    more = "; ..." if wrong > len(first) or (at_least and len(first) == SHOWN) else ""
    what = f"{shown}: no row can be read" if at_least else f"{shown}: {wrong} of {rows} rows {'is' if wrong == 1 else 'are'} broken"
    as_what = f" (read as `{record.name}`)" if record else ""
    return UserError(
        "TS-DATA-003", what + as_what, why=lines + more, fix=f"Correct or remove these lines; `tunesmith data inspect {shown}` lists all."
    )


def _no_format(
    shown: str, rows: Sequence[Mapping[str, Any]], sample: Sequence[Line], formats: Sequence[ProviderRecord],
    useful: Sequence[ProviderRecord], wanted: Sequence[str], reader: str,
) -> TunesmithError:  # fmt: skip
    """Why none of the formats that the reader could use fits."""
    who = reader or "the step"
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not useful:
        return UserError("TS-DATA-004", f"{shown}: no installed dataset format makes {listed(wanted)}, which {who} reads",
                         fix="Install a plugin that brings one.")  # fmt: skip
    misspelt = max(useful, key=lambda record: likeness(record, columns))
    other = best(formats, rows)
    closer = other is None or (likeness(misspelt, columns) and len(required(misspelt)) > len(required(other)))
    if other is not None and not closer:
        kinds = "; ".join(f"{columns_of(record)} (`{record.name}`)" for record in useful)
        return UserError(
            "TS-DATA-005", f"{shown} has rows of `{other.name}` ({columns_of(other)}), which {who} can't use",
            why=f"{who} reads {listed(wanted)}, and these rows become {listed(other.produces)}.", fix=f"Give rows with {kinds}.",
        )  # fmt: skip
    missing = [name for name in required(misspelt) if name not in columns]
    if likeness(misspelt, columns) and missing:
        said = []
        for name in missing:
            near = get_close_matches(name, [c for c in columns if c not in required(misspelt)], n=1)
            said.append(f"`{name}` is missing; did you mean it by `{near[0]}`?" if near else f"`{name}` is missing")
        first = next(line.number for line in sample if line.row is not None)
        why = f"`{misspelt.name}` requires {columns_of(misspelt)}; the columns are {', '.join(f'`{c}`' for c in columns)}."
        what = f"{shown}: the rows are almost `{misspelt.name}`, but in line {first} {' '.join(said)}"
        return UserError("TS-DATA-004", what, why=why, fix="Rename the column in the file.")
    if likeness(misspelt, columns):
        first_line = next(line for line in sample if line.row is not None)
        found = "; ".join(f"`{place}` {sentence}" for place, sentence in islice(misfits(misspelt.facts["row"], first_line.row), 3))
        return UserError("TS-DATA-004", f"{shown}: the rows have the columns of `{misspelt.name}`, but line {first_line.number}: {found}",
                         fix="Correct the rows.")  # fmt: skip
    kinds = "; ".join(f"`{record.name}` wants {columns_of(record)}" for record in useful)
    return UserError("TS-DATA-004", f"{shown}: the rows fit none of the formats that {who} reads",
                     why=f"Their columns are {', '.join(f'`{c}`' for c in columns[:12]) or 'none'}. {kinds}.",
                     fix="Rename the columns, or install a plugin for this format.")  # fmt: skip


def _nothing(code: str, what: str, why: str, fix: str) -> Detection:
    return Detection(None, [UserError(code, what, why=why, fix=fix)])
