"""JSON as a row may hold it: numbers that JSON has, whole characters, each key once, no deeper than whoever walks through it can go.

Standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["Unfit", "loads"]

DEEPEST = 100
_LARGE = re.compile(r"\d[eE]\+?\d{3}")  # perhaps a number too large for a float, which would be read as infinity
_LONG = re.compile(r"\d{4300,}")  # more digits than Python makes a number of
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
        value = _DECODER.decode(text)
    except RecursionError:
        raise Unfit("is nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:
        if found := _LONG.search(text):
            raise Unfit(f"holds a number of {len(found[0])} digits, which is too large") from None
        raise
    if wrong := _fault(value, text):
        raise Unfit(wrong)
    return value


def _fault(value: Any, text: str) -> str:
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


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number of JSON")


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object; Python's own way is to keep the last value of a key without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Unfit(f"has the key `{twice[:40]}` more than once in one object, so that it is not clear which value is meant")
    return found


_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_each_once)


def _depth(value: Any) -> int:
    """Levels of lists and objects."""
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
