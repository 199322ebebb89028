"""What an answer may be: a JSON schema of what is installed. An unknown plugin, setting or value has no place in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts.settings import problems
from tunesmith_ask.vocabulary import Vocabulary
from tunesmith_recommend.api import GOALS

ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".txt")  #: of files that rows may be in
_FILES = 100  # that an answer may choose among
_MOST = 10**6  # of whole numbers whose setting has no bound: an answer's digits have an end
_MANTISSAS = (1, 2, 3, 5, 8)
_DECADES = 2  # to either side of a default
_WHOLE = (*range(1, 11), 16, 32, 64, 128)  # of what is about one or more
_CARDS, _MINUTES, _PROVIDERS, _SETTINGS = 64, 7 * 24 * 60, 4, 6


def rows_files(folder: Path) -> list[str]:
    """Files that could be meant, as the sentence would name them."""
    found = [path for pattern in ("*", "data/*") for path in folder.glob(pattern) if path.suffix in ENDINGS and path.is_file()]
    return sorted(str(path.relative_to(folder)) for path in found)[:_FILES]


def request_schema(known: Vocabulary, files: Sequence[str]) -> dict[str, Any]:
    """Of a request. Every document that fits it has an end, and what it names is there.

    Args:
        files: that may be meant.
    """
    named = [f"{kind}.{name}" for kind, name in known.providers]
    settings = [
        _object({"of": {"type": "string", "enum": owners}, "setting": {"type": "string", "enum": [name]}, "value": value})
        for name, owners, value in _settable(known)
    ]
    return _object({
        "data": _one_of(files),
        "card": _one_of(dict.fromkeys(known.cards)),
        "cards": {"type": "integer", "minimum": 1, "maximum": _CARDS},
        "goal": _one_of(GOALS),
        "minutes": {"type": "integer", "minimum": 0, "maximum": _MINUTES},
        "model": _one_of(known.models),
        "providers": {"type": "array", "maxItems": _PROVIDERS, "items": {"type": "string", "enum": named}},
        "settings": {"type": "array", "maxItems": _SETTINGS, "items": {"anyOf": settings}},
    })  # fmt: skip


def _settable(known: Vocabulary) -> Iterator[tuple[str, list[str], Mapping[str, Any]]]:
    """(name, owners, values): those that take the same values under one name together."""
    found: dict[tuple[str, str], tuple[list[str], Mapping[str, Any]]] = {}
    for (owner, name), entry in known.owned.items():
        if value := _value(entry):
            found.setdefault((name, json.dumps(value)), ([], value))[0].append(owner)
    for (name, _), (owners, value) in found.items():
        yield name, owners, value


def _value(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A setting's schema as far as a short answer can fill it; empty for texts and lists, which are written in the file."""
    options = [one for one in entry.get("anyOf", ()) if one.get("type") != "null"]
    if options:
        rest = {name: said for name, said in entry.items() if name != "anyOf"}  # bounds stand beside the options
        return _value({**rest, **options[0]})
    if "enum" in entry:
        return {"enum": list(entry["enum"])}
    kind = entry.get("type")
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "integer":
        return _whole(entry)
    if kind == "number":
        return {"enum": _numbers(entry)}
    return {}


def _whole(entry: Mapping[str, Any]) -> dict[str, Any]:
    low = max(entry.get("minimum", -_MOST), entry.get("exclusiveMinimum", -_MOST - 1) + 1)
    high = min(entry.get("maximum", _MOST), entry.get("exclusiveMaximum", _MOST + 1) - 1)
    return {"type": "integer", "minimum": math.ceil(low), "maximum": max(math.ceil(low), math.floor(high))}


def _numbers(entry: Mapping[str, Any]) -> list[float]:
    """Round numbers around the default that the setting takes."""
    default = entry.get("default")
    start = default if isinstance(default, (int, float)) and default > 0 else 0.1
    middle = math.floor(math.log10(start))
    tried = [float(f"{m}e{middle + k}") for k in range(-_DECADES, _DECADES + 1) for m in _MANTISSAS]
    tried += [0.0, 0.5, 1.0, *(map(float, _WHOLE) if start >= 1 else ()), *([float(default)] if isinstance(default, (int, float)) else [])]
    return sorted({value for value in tried if not list(problems(entry, value))})


def _one_of(names: Iterable[str]) -> dict[str, Any]:
    """One of these, or nothing."""
    return {"type": "string", "enum": ["", *names]}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False}
