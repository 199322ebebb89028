"""Values of settings that a schema allows, and some that it forbids, made from the schema alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.contracts.settings import problems

TRIES = 7  # values that an open setting is changed to before it is called dead


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


def changes(entry: Mapping[str, Any], value: Any) -> list[Any]:
    """Values to change a setting to that has a value now: each of its choices, else a few others, extremes first."""
    options = [option for option in entry.get("anyOf", (entry,)) if option.get("type") != "null"]
    found = [*entry.get("examples", ()), *(new for option in options for new in _others({**entry, **option}, value))]
    found += [None] if len(options) < len(entry.get("anyOf", ())) else []
    different = [new for new in found if (new, type(new)) != (value, type(value)) and not next(problems(entry, new), None)]
    once = [new for place, new in enumerate(different) if new not in different[:place]]
    return once if "enum" in entry else once[:TRIES]


def _others(entry: Mapping[str, Any], value: Any) -> Iterator[Any]:
    kind = entry.get("type")
    if "enum" in entry:
        yield from entry["enum"]
    elif kind == "boolean":
        yield from (True, False)
    elif kind in ("integer", "number"):
        yield from _numbers(entry, value if isinstance(value, (int, float)) else None, whole=kind == "integer")
    elif kind == "string":
        yield from ("changed", "a", "1")
    elif kind == "array":
        item = entry.get("items", {})
        first = sample(item)
        (second, *_) = [*changes(item, first), first]
        yield from ([first, second], [second], [])
    elif kind == "object":
        rest = entry.get("additionalProperties")
        yield from ({"changed": sample(rest if isinstance(rest, Mapping) else {"type": "string"})}, {})


def _numbers(entry: Mapping[str, Any], value: float | None, *, whole: bool) -> Iterator[Any]:
    least = entry.get("minimum", entry.get("exclusiveMinimum", 0.0) + (1 if whole else 1e-6))
    value = max(least, 1) if value is None else value  # none is often one: then only more shows
    most = entry.get("maximum", entry.get("exclusiveMaximum"))
    middle = (least + most) / 2 if most is not None else 2 * value or 1
    little = value / (100 if whole else 1000)  # a time: less than what is tried takes, on any machine
    for new in (least, little, middle, value / 2, value + 1, 10 * value, most):
        if new is not None:
            yield int(new) if whole else float(new)


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
