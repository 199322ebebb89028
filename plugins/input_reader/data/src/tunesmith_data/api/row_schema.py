"""The JSON Schema of a format's rows, at work.

Whether a row fits is for fastjsonschema to say, draft 7; what to tell of one that does not, for Tunesmith's own words where they see it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tunesmith.contracts.kinds.input_reader import InstalledProvider
from tunesmith.contracts.settings import problems as explained
from tunesmith.errors import UserError

KEYWORDS = {
    "$schema", "$id", "$ref", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
    "definitions", "$defs", "type",
    "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
    "pattern", "items", "additionalItems", "maxItems", "minItems", "uniqueItems", "contains", "maxProperties", "minProperties", "required",
    "properties", "patternProperties", "additionalProperties", "dependencies", "propertyNames", "if", "then", "else", "allOf", "anyOf",
    "oneOf", "not", "format",
}  # fmt: skip  # what is enforced, or says nothing about a value
_ONE = ("additionalItems", "contains", "additionalProperties", "propertyNames", "if", "then", "else", "not", "items")
_MANY = ("allOf", "anyOf", "oneOf", "items")
_NAMED = ("properties", "patternProperties", "definitions", "$defs", "dependencies")
_NOTES = ("$ref", "$comment", "title", "description", "default", "examples", "definitions", "$defs")
FORMATS = ("media",)


class RowSchema:
    """
    Raises:
        UserError: TS-PLUGIN-006 when it is no schema that rows can be held against.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        import fastjsonschema

        for place, sentence in faults(schema):
            raise UserError("TS-PLUGIN-006", f"its row schema {sentence} at `{place or 'the top'}`", fix="Correct the plugin's schema.")
        try:
            self._fits = _compiled(json.dumps(schema))
        except (fastjsonschema.JsonSchemaDefinitionException, TypeError, ValueError, RecursionError, SyntaxError, AttributeError) as error:
            what = f"its row schema is no JSON Schema of draft 7: {error}"
            raise UserError("TS-PLUGIN-006", what, fix="Correct the plugin's schema.") from None
        self._misfit = fastjsonschema.JsonSchemaValueException
        self._plain = expanded(schema)
        self._places = _places([self._plain])

    def problems(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Ways in which a row misses the schema, as (path, sentence); nothing when it fits."""
        try:
            self._fits(row)
        except self._misfit as error:
            found: list[tuple[str, str]] = []
            with contextlib.suppress(TypeError, KeyError, AttributeError, re.error):  # of keywords that settings do not have
                found = list(explained(self._plain, row))
            place, _, sentence = str(error.message).partition(" ")
            yield from found or [(place.removeprefix("data").lstrip("."), sentence)]

    def fits(self, row: Mapping[str, Any]) -> bool:
        try:
            self._fits(row)
        except self._misfit:
            return False
        return True

    def unread(self, row: Mapping[str, Any]) -> set[str]:
        """Keys of a row, and of the objects in it, that the schema has no place for, or calls deprecated: ``id``, ``messages[].mood``."""
        found: set[str] = set()
        _find_unread(self._places, row, "", found)
        return found

    def characters(self, row: Mapping[str, Any]) -> int:
        """Of the text in a row: not what names a medium, is one of some words (a role), or has no place in the schema."""
        return _characters(self._places, row)


@lru_cache(maxsize=128)  # it takes longer than planning a step, and each file of a pipeline is held against the same schemas
def _compiled(schema: str) -> Callable[[Any], Any]:
    import fastjsonschema

    check: Callable[[Any], Any] = fastjsonschema.compile(json.loads(schema), use_default=False, use_formats=False)
    return check


def row_schema(record: InstalledProvider) -> RowSchema:
    """
    Raises:
        UserError: TS-PLUGIN-006 naming the plugin whose schema it is, when it is none.
    """
    try:
        return RowSchema(record.facts["row"])
    except UserError as error:
        what = f"The dataset format `{record.name}` of {record.distribution} can't be used: {error.what}"
        raise UserError(error.code, what, fix=error.fix) from None


def alternatives(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A row's schema once for each set of columns that it may have: each of ``anyOf`` at the top that requires some."""
    options = [option for option in schema.get("anyOf", ()) if isinstance(option, Mapping) and option.get("required")]
    whole = {key: entry for key, entry in schema.items() if key != "anyOf"}
    return [{**whole, "required": [*schema.get("required", ()), *option["required"]]} for option in options] or [schema]


@dataclass(frozen=True)
class _Places:
    """What a schema has a place for: `keys` of an object (None: any), `items` of a list; `text`: whether a string there is free text;
    `taken`: whether something is made of it, for a format may know a key of others' rows only to look at it; `more`: whether other keys
    than those that are named are kept, too (``additionalProperties: true``), whose text is not the row's."""

    keys: Mapping[str, _Places] | None
    items: _Places | None
    text: bool = True
    taken: bool = True
    more: bool = False


def _places(schemas: Sequence[Any]) -> _Places:
    """Of a value that all these schemas speak of, one way or another."""
    parts = [part for schema in schemas for part in _parts(schema)]
    named: dict[str, list[Any]] = {}
    for key, entry in (pair for part in parts for pair in part.get("properties", {}).items()):
        named.setdefault(key, []).append(entry)
    anything = not named or any("patternProperties" in part for part in parts)
    more = any(part.get("additionalProperties") is True for part in parts)
    inner = [part["items"] for part in parts if isinstance(part.get("items"), Mapping)]
    keys = None if anything else {key: _places(entries) for key, entries in named.items()}
    text = not any("enum" in part or "const" in part or "format" in part for part in parts)
    taken = not any(part.get("deprecated") is True for part in parts)
    return _Places(keys, _places(inner) if inner else None, text, taken, more)


_ANYTHING = _Places(None, None)


def _characters(places: _Places, value: Any) -> int:
    if isinstance(value, str):
        return len(value) if places.text else 0
    if not places.text:
        return 0
    if isinstance(value, list):
        inner = places.items or _ANYTHING
        return sum([_characters(inner, item) for item in value])
    if not isinstance(value, dict):
        return 0
    if places.keys is None:
        return sum([_characters(_ANYTHING, item) for item in value.values()])
    return sum([_characters(places.keys[key], item) for key, item in value.items() if key in places.keys])


def _find_unread(places: _Places, value: Any, where: str, found: set[str]) -> None:
    if isinstance(value, Mapping) and places.keys is not None:
        for key, item in value.items():
            known = places.keys.get(key)
            if known is None or not known.taken:
                if item is not None and not (known is None and places.more):
                    found.add(f"{where}.{key}" if where else key)
            elif isinstance(item, (Mapping, list)):
                _find_unread(known, item, f"{where}.{key}" if where else key, found)
    elif isinstance(value, list) and places.items is not None:
        for item in value:
            _find_unread(places.items, item, f"{where}[]", found)


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, Mapping):
        yield schema
        for key in ("allOf", "anyOf", "oneOf"):
            for option in schema.get(key, ()):
                yield from _parts(option)


def faults(schema: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """What of a schema would be passed over when rows are held against it, as (place, sentence)."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        yield where, f"has {schema!r:.40} where a schema belongs"
        return
    for key in schema:
        if key not in KEYWORDS:
            yield where, f"has the keyword `{key}`, which is not enforced"
    target = schema.get("$ref", "#")
    beside = [key for key in schema if "$ref" in schema and key not in _NOTES]
    if beside:
        yield where, f"has `{beside[0]}` beside `$ref`, where it is not enforced"
    if not isinstance(target, str) or not target.startswith("#"):
        yield where, f"refers to {target!r:.60}, which is not within it"
    if schema.get("format", FORMATS[0]) not in FORMATS:
        yield where, f"asks for the format {schema['format']!r:.40}, which is not checked"
    for key in _ONE:
        if key in schema and not (key == "items" and isinstance(schema[key], list)):
            yield from faults(schema[key], f"{where}.{key}".lstrip("."))
    for key in _MANY:
        for index, option in enumerate(schema.get(key, ()) if isinstance(schema.get(key), list) else ()):
            yield from faults(option, f"{where}.{key}[{index}]".lstrip("."))
    for key in _NAMED:
        for name, entry in schema.get(key, {}).items() if isinstance(schema.get(key), Mapping) else ():
            if not (key == "dependencies" and isinstance(entry, list)):
                yield from faults(entry, f"{where}.{key}.{name}".lstrip("."))


def expanded(schema: Any, root: Any = None, inside: tuple[str, ...] = ()) -> Any:
    """The schema with what it refers to in the place of the references; one to what it lies in stands for anything."""
    root = schema if root is None else root
    if isinstance(schema, list):
        return [expanded(item, root, inside) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    target = schema.get("$ref")
    if isinstance(target, str):
        return {} if target in inside else expanded(_at(root, target), root, (*inside, target))
    return {
        key: entry if key in ("enum", "const", "examples", "default") else expanded(entry, root, inside) for key, entry in schema.items()
    }


def _at(root: Any, target: str) -> Any:
    found = root
    for part in target.lstrip("#").split("/")[1:]:
        found = found[int(part)] if isinstance(found, list) else found[part.replace("~1", "/").replace("~0", "~")]
    return found
