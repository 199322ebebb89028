"""Rows of a table as text: ``.csv`` and ``.tsv``, the names of the columns in the first line, as spreadsheets write them (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from tunesmith_data.line import LARGEST_ROW, Line, NotRows

_SEPARATORS = ",;\t"


def read_table(file: BinaryIO, start: bytes) -> Iterator[Line]:
    """Each row of a table as texts, with the line on which it begins; its cells may go over several.

    Args:
        start: how the file begins. Of comma, semicolon and tab its first line has most of what separates the columns.

    Raises:
        NotRows: when the first line is none of column names.
    """
    head = start.partition(b"\n")[0].decode("utf-8", "replace")
    csv.field_size_limit(LARGEST_ROW)  # the library's own bound is smaller than long documents are
    rows = csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), delimiter=max(_SEPARATORS, key=head.count), strict=True)
    names: list[str] = []
    line = 0
    try:
        for cells in rows:
            number, line = line + 1, rows.line_num
            if not any(cell.strip() for cell in cells):
                yield Line(number)
            elif not names:
                names = _names(cells)
            elif len(cells) != len(names):
                yield Line(number, None, f"has {len(cells)} cells, and there are {len(names)} columns: {', '.join(names)}")
            else:
                yield Line(number, dict(zip(names, cells, strict=True)))
    except csv.Error as error:  # after it nothing more can be told apart
        yield Line(line + 1, None, f"is no row of a table: {error}")
    except UnicodeDecodeError:
        yield Line(line + 1, None, "is not UTF-8, or a line soon after it; spreadsheets can save a table as CSV in UTF-8")


def _names(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if all(names) and len(set(names)) == len(names):
        return names
    why = "two columns have one name" if all(names) else "a column has no name"
    raise NotRows(f"its first line should name the columns, and {why}", "Write the columns' names into the first line, each once.")
