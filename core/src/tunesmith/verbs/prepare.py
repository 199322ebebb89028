"""The verb ``prepare``: the user's data file becomes a dataset artifact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.contracts import Result, Row, Step, text_of
from tunesmith.contracts.rows import ROWS_FILE
from tunesmith.errors import TunesmithError, UserError
from tunesmith.verbs.data_files import read_data_file

SHOWN = 5  # broken rows that a message names


def run(step: Step) -> Result:
    """Convert every row with the dataset format; statistics go into the artifact's meta.

    Raises:
        UserError: naming file and line of rows that can't be converted.
    """
    source = step.inputs["file"].path
    rows = characters = longest = 0
    with open(step.output / ROWS_FILE, "w", encoding="utf-8") as lines:
        for row in _converted(source, step):
            length = sum(len(text_of(message)) for message in _messages(row))
            rows, characters, longest = rows + 1, characters + length, max(longest, length)
            lines.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
            step.progress(rows, what="preparing", unit="rows")
            step.check_cancelled()
    if not rows:
        raise UserError("TS-DATA-003", f"{source} has no rows", fix="Give a file with at least one row.")
    step.progress(rows, rows, what="preparing", unit="rows")
    return Result(format=step.settings.format, meta={"rows": rows, "characters": characters, "longest": longest})


def _converted(source: Path, step: Step) -> Iterator[Row]:
    provider = step.provider("dataset_format")
    broken: list[tuple[int, TunesmithError]] = []
    for line, row in read_data_file(source):
        try:
            yield provider.convert(row)
        except TunesmithError as error:
            broken.append((line, error))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            broken.append((line, UserError("TS-DATA-004", f"the row is not of the format: {type(error).__name__}: {error}")))
    if broken:
        line, first = broken[0]
        others = "; ".join(f"line {line}: {error.what}" for line, error in broken[1:SHOWN])
        more = f"; and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        raise UserError(
            first.code, f"{source}:{line}: {first.what}", why=first.why + (f" Also {others}{more}." if others else ""),
            fix=first.fix or "Mend or remove the rows; `tunesmith data inspect` lists them all.",
        )  # fmt: skip


def _messages(row: Row) -> Iterator[Any]:
    for key in ("messages", "chosen", "rejected"):
        yield from row.get(key, ())
