"""The verb ``prepare``: the user's data file becomes a dataset artifact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tunesmith.contracts import Result, Step
from tunesmith.contracts.untrusted_files import roots_of
from tunesmith.errors import TunesmithError, UserError
from tunesmith_data.api import ROWS_FILE, Row, characters_of
from tunesmith_data.check.verdict import checked, written
from tunesmith_data.formats.detection import put_rows
from tunesmith_data.line import Line, NotRows
from tunesmith_data.media.files import Keeper
from tunesmith_data.rows_file import read_file
from tunesmith_data.shape.rows import shape_of

SHOWN = 5  # broken rows that a message names
_MEND = "Correct or remove these rows; `tunesmith data inspect` lists them all."


def run(step: Step) -> Result:
    """Convert every row with the dataset format, and take in the media that it names; statistics go into the artifact's meta.

    Raises:
        UserError: naming file and line of rows that can't be converted.
    """
    source = step.inputs["file"].path
    keeper = Keeper(source.parent, step.output, roots_of(source.parent, step.roots))
    rows = characters = longest = 0
    with open(step.output / ROWS_FILE, "w", encoding="utf-8") as lines:
        for row in _converted(source, step, keeper):
            length = characters_of(row)
            rows, characters, longest = rows + 1, characters + length, max(longest, length)
            lines.write(written(row) + "\n")
            step.progress(rows, what="preparing", unit="rows")
            step.check_cancelled()
    if not rows:
        raise UserError("TS-DATA-002", f"{source} has no rows", fix=put_rows(source))
    step.progress(rows, rows, what="preparing", unit="rows")
    media = {"media": keeper.count} if keeper.count else {}
    return Result(format=step.settings.format, meta={"rows": rows, "characters": characters, "longest": longest} | media)


def _converted(source: Path, step: Step, keeper: Keeper) -> Iterator[Row]:
    provider = step.provider("dataset_format")
    broken: list[tuple[int, TunesmithError]] = []
    for line in _read(source, shape_of(step.settings.columns, step.settings.filter)):
        try:
            for row in checked(line, None, provider.convert):  # the schema was looked at when the step was planned
                yield keeper.row(row)
        except TunesmithError as error:
            broken.append((line.number, error))
    if broken:
        raise _problem(source, broken)


def _read(source: Path, columns: Mapping[str, str]) -> Iterator[Line]:
    try:
        yield from read_file(source, columns)
    except NotRows as error:
        raise UserError("TS-DATA-006", f"{source} can't be read as rows: {error}", fix=error.fix) from None


def _problem(source: Path, broken: list[tuple[int, TunesmithError]]) -> UserError:
    number, first = broken[0]
    others = "; ".join(f"line {line}: {error.what}" for line, error in broken[1:SHOWN])
    more = f"; and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
    why = first.why + (f" Also {others}{more}." if others else "")
    return UserError(first.code, f"{source}:{number}: {first.what}", why=why.strip(), fix=first.fix or _MEND)
