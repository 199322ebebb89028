"""JSON as a row may hold it: numbers that JSON has, whole characters, no deeper than whoever walks through it can go.

Standard library only.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 100
_LARGE = re.compile(r"\d[eE]\+?\d{3}")  # perhaps a number too large for a float, which would be read as infinity
_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # of a character outside the basic plane, which JSON writes as two


class Unfit(ValueError):
    """It is JSON, but none that a row may hold; the message says why: "is nested too deeply"."""


def loads(text: str) -> Any:
    """
    Raises:
        Unfit: for what a row may not hold.
        ValueError: where it is no JSON.
    """
    try:
        value = json.loads(text, parse_constant=no_constant)
    except RecursionError:
        raise Unfit("is nested too deeply") from None
    if found := fault(value, text):
        raise Unfit(found)
    return value


def fault(value: Any, text: str) -> str:
    """What is wrong with a value that was read from a text; empty if nothing is."""
    if text.count("[") + text.count("{") > DEEPEST and _depth(value) > DEEPEST:
        return "is nested too deeply"
    if _LARGE.search(text):
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            return "holds a number that is too large"
    if _HALF.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            return f"holds half a character (\\u{ord(error.object[error.start]):04x} without its other half)"
    return ""


def no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number of JSON")


def _depth(value: Any) -> int:
    """Levels of lists and objects."""
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
