"""Values of settings that a schema allows, and some that it forbids, made from the schema alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def good_values(schema: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`base`, then `base` with one setting at a time changed to each of its corners: bounds, choices, examples, both truths."""
    start = {name: sample(entry) for name, entry in schema.get("properties", {}).items() if name in schema.get("required", ())}
    start.update(base)
    yield start
    for name, entry in schema.get("properties", {}).items():
        for value in corners(entry):
            yield {**start, name: value}


def corners(entry: Mapping[str, Any]) -> Iterator[Any]:
    """The values of a setting at which code breaks if it breaks at all."""
    yield from entry.get("enum", ())
    yield from entry.get("examples", ())
    for keyword in ("minimum", "maximum"):
        if keyword in entry:
            yield entry[keyword]
    if entry.get("type") == "boolean":
        yield from (False, True)


def sample(entry: Mapping[str, Any]) -> Any:
    """Some value of a setting without a default."""
    found = list(corners(entry))
    if found:
        return found[0]
    if "anyOf" in entry:
        return sample(entry["anyOf"][0])
    least = entry.get("exclusiveMinimum", -1) + 1
    made = {"integer": least, "number": float(least), "string": "a", "array": [], "object": {}, "boolean": False}
    return made.get(entry.get("type", ""))


def bad_values(schema: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A setting that is none, and every setting of a wrong type or beyond its bounds."""
    start = next(good_values(schema, base))
    yield {**start, "no_such_setting": 1}
    for name, entry in schema.get("properties", {}).items():
        for value in _bad(entry):
            yield {**start, name: value}


def _bad(entry: Mapping[str, Any]) -> Iterator[Any]:
    if "minimum" in entry:
        yield entry["minimum"] - 1
    if "maximum" in entry:
        yield entry["maximum"] + 1
    if "enum" in entry:
        yield "no such choice"
    wrong = {"integer": "many", "number": "many", "boolean": "perhaps", "string": 7, "array": 7, "object": 7}
    if entry.get("type") in wrong:
        yield wrong[entry["type"]]
