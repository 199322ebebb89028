"""What a column is called within a row's objects and lists: ``answers[0].text``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MISSING = object()
_PART = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]")


def value_at(row: Mapping[str, Any], column: str) -> Any:
    """The value of a column; a name with dots and brackets leads into objects and lists unless a column has that very name.

    Returns:
        `MISSING` where there is none.
    """
    if column in row:
        return row[column]
    found: Any = row
    for part in parts(column):
        if isinstance(part, int):
            if not isinstance(found, list) or not -len(found) <= part < len(found):
                return MISSING
            found = found[part]
        elif isinstance(found, Mapping) and part in found:
            found = found[part]
        else:
            return MISSING
    return MISSING if found is row else found


def parts(column: str) -> list[str | int]:
    """Names and places on the way; none where it is no path."""
    found: list[str | int] = []
    at = 0
    while match := _PART.match(column, at):
        found.append(match[1] if match[1] is not None else int(match[2]))
        at = match.end()
    return found if at == len(column) else []


def first_of(column: str) -> str:
    """The column of the file that a path begins in."""
    found = parts(column)
    return str(found[0]) if found else column
