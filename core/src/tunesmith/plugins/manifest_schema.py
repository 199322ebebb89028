"""What a manifest looks like, as JSON Schema, made of the records that it is read into. Keys that are not in it come from newer kernels and
are passed over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tunesmith.contracts.provider import Kind
from tunesmith.plugins.records import EnvironmentSpec, ProviderRecord

VERSION = 1  #: of the manifest's own layout

_TYPES = {str: "string", bool: "boolean", int: "integer"}
_EMPTY = ("summary", "of", "capability", "why")  # what must be there and may say nothing
_INSTALLED = ("distribution", "version")  # of a record: what is installed says them


def _of(hint: Any) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _TYPES:
        return {"type": _TYPES[hint]}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _of(arguments[0])}
    if dataclasses.is_dataclass(hint):
        return _record(hint)
    return {"type": "object"} if arguments[1] is Any else {"type": "object", "additionalProperties": _of(arguments[1])}


def _record(cls: Any, without: Collection[str] = ()) -> dict[str, Any]:
    hints = get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.name not in without]
    needed = [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
    properties = {f.name: _of(hints[f.name]) | ({"minLength": 1} if f.name in needed and f.name not in _EMPTY else {}) for f in fields}
    return {"type": "object", "properties": properties, "required": needed}


_WORD = {"type": "string", "minLength": 1}
_NAMES = {"name": _WORD, "summary": {"type": "string"}, "target": _WORD}
_COMMAND = {"type": "object", "properties": _NAMES, "required": list(_NAMES)}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["manifest", "distribution", "module"],
    "properties": {
        "manifest": {"type": "integer", "minimum": 1},
        "distribution": _WORD,
        "version": {"type": "string"},
        "module": _WORD,
        "runtime": _of(tuple[str, ...]),
        "environment": _record(EnvironmentSpec),
        "events": _of(tuple[str, ...]),
        "errors": _of(Mapping[str, str]),
        "commands": {"type": "array", "items": _COMMAND},
        "kinds": {"type": "array", "items": _record(Kind)},
        "providers": {"type": "array", "items": _record(ProviderRecord, _INSTALLED)},
    },
}
