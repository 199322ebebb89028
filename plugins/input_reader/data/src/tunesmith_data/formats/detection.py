"""Which format a data file's rows have, and which rows are broken."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.contracts.artifacts import fits
from tunesmith.contracts.kinds.input_reader import InstalledProvider
from tunesmith.contracts.untrusted_files import unreadable
from tunesmith.errors import TunesmithError, UserError, did_you_mean, listed
from tunesmith_data.api import row_schema
from tunesmith_data.check.verdict import Verdict, judge
from tunesmith_data.column_path import MISSING, value_at
from tunesmith_data.formats.resemblance import best, columns_of, likeness, mapping, required, resemblance
from tunesmith_data.line import Line, NotRows
from tunesmith_data.rows_file import read_file
from tunesmith_data.shape.rows import FILTER, check_shape, columns_named, without_filter

SAMPLE = 50  # rows by which the format is told
SHOWN = 8  # broken rows that an error names
_WORDS = ("true", "false", "null")

#: (file, format, columns, settings of the format) -> what is said of the rows
Check = Callable[[Path, InstalledProvider, Mapping[str, str], Mapping[str, Any]], Verdict]


class Detection(NamedTuple):
    """What a file holds.

    Args:
        record: the dataset format; None if none fits.
        problems: why the file can't be used as wanted; empty if it can.
        format: of the artifact that its rows become.
        verdict: what was found in the rows, where there is a format.
        renaming: where none fits and one would if columns were called otherwise: name that it wants -> name that the column has.
    """

    record: InstalledProvider | None
    problems: list[TunesmithError]
    format: str = ""
    verdict: Verdict = Verdict(0, 0)
    renaming: Mapping[str, str] = {}

    def without(self, shown: str, found: Sequence[tuple[int, TunesmithError]]) -> Detection:
        """The same when the rows at these lines can't be used either, for what they name."""
        if self.record is None or not found:
            return self
        verdict = self.verdict.without(found)
        return self._replace(verdict=verdict, problems=[broken_rows(shown, verdict, self.record)])

    @property
    def rows(self) -> int:
        return self.verdict.rows

    @property
    def characters(self) -> int:
        return self.verdict.characters


def by_schema(path: Path, record: InstalledProvider, columns: Mapping[str, str], settings: Mapping[str, Any]) -> Verdict:
    """The check where nobody can be asked but the format's schema."""
    return judge(path, record.facts["row"], columns)


def detect(
    path: Path, installed: Mapping[str, InstalledProvider], wanted: Sequence[str] = ("dataset/*",), *, shown: str = "", reader: str = "",
    columns: Mapping[str, str] | None = None, check: Check = by_schema,
) -> Detection:  # fmt: skip
    """Find the format of a file's rows and check every row.

    Args:
        installed: dataset formats by name.
        wanted: artifact formats that the reader takes.
        shown: how the user calls the file (default: the path).
        reader: who wants it, for errors.
        columns: name that a format wants -> name that the column has in the file.
        check: what judges the rows (see `tunesmith_data.check.worker.RowCheck`).
    """
    shown, columns = shown or str(path), columns or {}
    formats = [record for record in installed.values() if record.facts.get("row")]
    try:
        sample = list(islice((line for line in read_file(path) if line.row is not None or line.problem), SAMPLE))
        rows = [line.row for line in sample if line.row]
        if not sample:
            return _nothing("TS-DATA-002", f"{shown} has no rows", "", put_rows(path))
        if not rows:
            verdict = judge(path, {}, {})
            return Detection(None, [broken_rows(shown, verdict, at_least=True)], verdict=verdict)
        if unknown := [name for name in columns_named(columns) if all(value_at(row, name) is MISSING for row in rows)]:
            return Detection(None, [_no_column(shown, unknown[0], rows)])
        if columns:
            check_shape(columns)
            sample = list(islice((line for line in read_file(path, columns) if line.row is not None or line.problem), SAMPLE))
            rows = [line.row for line in sample if line.row]
        if not sample:
            return _nothing(
                "TS-DATA-095",
                f"{shown}: the filter leaves out all rows",
                f"It is `{columns[FILTER]}`.",
                "Ask for less, or for something else.",
            )
        if not rows:
            return Detection(None, [broken_rows(shown, verdict := judge(path, {}, columns), at_least=True)], verdict=verdict)
        useful = [record for record in formats if any(fits(format, wanted) for format in record.produces)]
        record = best(useful, rows)
        if record is None:
            found = mapping(useful, rows)
            renaming = {**columns, **found[1]} if found else {}
            problem = _no_format(shown, rows, sample, formats, useful, wanted, reader, columns, found)
            return Detection(None, [problem], renaming=renaming)
        format = next(format for format in record.produces if fits(format, wanted))
        return checked(path, shown, record, format, columns, {}, check)
    except NotRows as error:
        return _nothing("TS-DATA-006", f"{shown} can't be read as rows: {error}", "", error.fix)
    except OSError as error:
        return Detection(None, [unreadable(path, shown, error)])


def checked(
    path: Path, shown: str, record: InstalledProvider, format: str, columns: Mapping[str, str], settings: Mapping[str, Any], check: Check
) -> Detection:  # fmt: skip
    """Every row of a file in a format that is known.

    Raises:
        OSError, NotRows: see `read_file`.
    """
    verdict = check(path, record, columns, settings)
    return Detection(record, [broken_rows(shown, verdict, record)] if verdict.lines else [], format, verdict)


def named(
    path: Path, shown: str, record: InstalledProvider, columns: Mapping[str, str], settings: Mapping[str, Any], check: Check,
    installed: Sequence[InstalledProvider],
) -> Detection:  # fmt: skip
    """Every row of a file in the format that the user names; where hardly any fits, with what would.

    Raises:
        OSError, NotRows: see `read_file`.
    """
    found = checked(path, shown, record, "", columns, settings, check)
    if not found.problems or found.verdict.rows >= len(found.verdict.lines):
        return found
    rows = [line.row for line in islice((line for line in read_file(path, columns) if line.row), SAMPLE) if line.row]
    other = best([each for each in installed if each.facts.get("row")], rows) if rows else None
    if other is not None and other is not record:
        fix = f"The rows fit `{other.name}`: write `{other.name}` in the place of `{record.name}`."
    elif renaming := mapping([record], rows):
        pairs = ", ".join(f"{_in_yaml(name)}: {_in_yaml(column)}" for name, column in {**without_filter(columns), **renaming[1]}.items())
        fix = f"Write `settings: {{columns: {{{pairs}}}}}` in this step."
    else:
        return found
    problem = found.problems[0]
    return found._replace(problems=[UserError(problem.code, problem.what, why=problem.why, fix=fix)])


def broken_rows(shown: str, verdict: Verdict, record: InstalledProvider | None = None, *, at_least: bool = False) -> TunesmithError:
    """The error that tells of rows that can't be used; of the code that they have, if they have one in common."""
    first, wrong = verdict.broken[:SHOWN], len(verdict.lines)
    codes = {one.code for one in verdict.broken}
    lines = "; ".join(one.sentence for one in first) + ("; ..." if wrong > len(first) else "")
    what = (
        f"{shown}: no row can be read"
        if at_least
        else f"{shown}: {wrong} of {verdict.rows + wrong} rows {'is' if wrong == 1 else 'are'} broken"
    )
    as_what = f" (read as `{record.name}`)" if record else ""
    fix = f"Correct or remove these lines; `tunesmith data inspect {shown}` lists all."
    fixes = list(dict.fromkeys(one.fix for one in verdict.broken))  # of one code there may be several
    told = len(codes) == 1 and len(fixes) <= 3 and all(fixes)
    fix = f"{' '.join(fixes)} `tunesmith data inspect {shown}` lists all." if told else fix
    return UserError(codes.pop() if len(codes) == 1 else "TS-DATA-003", what + as_what, why=lines, fix=fix)


def _no_column(shown: str, name: str, rows: Sequence[Mapping[str, Any]]) -> TunesmithError:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return UserError("TS-DATA-027", f"{shown} has no column `{name}`", why="`columns` names it: wanted name, then the name in the file.",
                     fix=did_you_mean(name, columns))  # fmt: skip


def _no_format(
    shown: str, rows: Sequence[Mapping[str, Any]], sample: Sequence[Line], formats: Sequence[InstalledProvider],
    useful: Sequence[InstalledProvider], wanted: Sequence[str], reader: str, given: Mapping[str, str],
    found: tuple[InstalledProvider, Mapping[str, str]] | None,
) -> TunesmithError:  # fmt: skip
    """Why none of the formats that the reader could use fits."""
    who = reader or "whoever trains here"
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not useful:
        return UserError("TS-DATA-004", f"{shown}: no installed dataset format makes {listed(wanted)}, which {who} reads",
                         fix="Install a plugin that brings one.")  # fmt: skip
    named = _columns(shown, {**given, **found[1]}) if found else ""
    other = best(formats, rows)
    half = other is None  # of the columns that are wanted is some: nobody else has rows like these
    misspelt = max(useful, key=_alike(columns, half))
    keys = 0 if other is None else len(required(other, columns))
    closer = (likeness(misspelt, columns) and len(required(misspelt, columns)) > keys) or (
        found and len(required(found[0], columns)) > keys
    )
    if other is not None and not closer:
        kinds = "; ".join(f"{columns_of(record)} (`{record.name}`)" for record in useful)
        told = ", ".join(f"`{name}`" for name in required(other, columns))
        return UserError(
            "TS-DATA-005", f"{shown} has rows of `{other.name}` ({told}), which {who} can't use",
            why=f"{who} reads {listed(wanted)}, and these rows become {listed(other.produces)}.", fix=f"Give rows with {kinds}.",
        )  # fmt: skip
    line, wrong = _first_wrong(misspelt, sample)
    if beside := {place for place, _ in wrong} - {*required(misspelt, columns)}:  # a column too many for it may be another format's
        misspelt = max((record for record in useful if beside & {*required(record, columns)}), key=_alike(columns, half), default=misspelt)
    wants = required(misspelt, columns)
    missing = [name for name in wants if name not in columns]
    if likeness(misspelt, columns, half=half) and missing:
        said = []
        for name in missing:
            near = get_close_matches(name, [c for c in columns if c not in wants], n=1)
            said.append(f"`{name}` is missing; did you mean it by `{near[0]}`?" if near else f"`{name}` is missing")
        first = next(line.number for line in sample if line.row is not None)
        why = f"`{misspelt.name}` requires {columns_of(misspelt)}; the columns are {', '.join(f'`{c}`' for c in columns)}."
        what = f"{shown}: the rows are almost `{misspelt.name}`, but in line {first} {' '.join(said)}"
        renamed_one = "Rename the column in the file, or name it in `columns`."
        fix = (
            renamed_one
            if all("did you mean" in one for one in said)
            else "Put it into the rows, or name in `columns` the column that has it."
        )
        return UserError("TS-DATA-004", what, why=why, fix=named or fix)
    if likeness(misspelt, columns, half=half) and not found:
        told = "; ".join(f"`{place}` {sentence}" for place, sentence in wrong)
        return UserError("TS-DATA-004", f"{shown}: the rows have the columns of `{misspelt.name}`, but line {line}: {told}",
                         fix="Correct the rows.")  # fmt: skip
    kinds = "; ".join(f"`{record.name}` wants {columns_of(record)}" for record in useful)
    return UserError("TS-DATA-004", f"{shown}: the rows fit none of the formats that {who} reads",
                     why=f"Their columns are {', '.join(f'`{c}`' for c in columns[:12]) or 'none'}. {kinds}.",
                     fix=f"{named or _example(useful, columns)} Or install a plugin for this format.")  # fmt: skip


def _alike(columns: Sequence[str], half: bool) -> Callable[[InstalledProvider], tuple[float, int]]:
    return lambda record: resemblance(record, columns, half=half)


def _first_wrong(record: InstalledProvider, sample: Sequence[Line]) -> tuple[int, list[tuple[str, str]]]:
    """The first row that a format does not fit: its line, and at most three problems of it; 0 and none if there is no such row."""
    found = ((line.number, list(islice(row_schema(record).problems(line.row), 3))) for line in sample if line.row is not None)
    return next(((number, problems) for number, problems in found if problems), (0, []))


def put_rows(path: Path) -> str:
    """What to put into a file that has no rows, by what it is."""
    table = path.suffix.casefold() in (".csv", ".tsv")
    return (
        "Put the columns' names into its first line, and a row into each of the others." if table else "Put one JSON object a line into it."
    )


def _example(useful: Sequence[InstalledProvider], columns: Sequence[str]) -> str:
    """How to say which column is which, by the format that wants most of the columns that there are."""
    sets = [required(one) for one in useful if one.facts.get("aliases")]
    wants = max((names for names in sets if len(names) <= len(columns)), key=len, default=())
    named = [column for column in columns if column not in wants]  # one that has its name already means itself
    pairs = list(zip([name for name in wants if name not in columns], named, strict=False))
    if not pairs:
        return "Say in `columns` which column is which."
    flag = shlex.quote(",".join(f"{name}={column}" for name, column in pairs))
    return f"Say which column is which: `--columns {flag}`, say, or `columns` in the pipeline."


def _columns(shown: str, columns: Mapping[str, str]) -> str:
    """How to say it in a pipeline and on the command line, ready to copy."""
    pairs = ", ".join(f"{_in_yaml(name)}: {_in_yaml(column)}" for name, column in without_filter(columns).items())
    kept = f", filter: {_in_yaml(columns[FILTER])}" if FILTER in columns else ""
    told = f"Write `data: {{path: {_in_yaml(shown)}, columns: {{{pairs}}}{kept}}}` in the pipeline"
    if any(set("=,") & set(column) for column in columns.values()):
        return f"{told}."
    flag = shlex.quote(",".join(f"{name}={column}" for name, column in without_filter(columns).items()))
    return f"{told}, or `--columns {flag}` on the command line."


def _in_yaml(word: str) -> str:
    """Quoted where it might be read as something else than text."""
    return (
        word
        if re.fullmatch(r"[A-Za-z_./][\w./-]*", word, re.ASCII) and word.lower() not in _WORDS
        else json.dumps(word, ensure_ascii=False)
    )


def _nothing(code: str, what: str, why: str, fix: str) -> Detection:
    return Detection(None, [UserError(code, what, why=why, fix=fix)])
