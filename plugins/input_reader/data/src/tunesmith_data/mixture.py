"""Data files where one belongs: ``[a.jsonl, b.jsonl]``, with the share of each ``{a.jsonl: 0.7, b.jsonl: 0.3}``, or with what their columns
are called ``{path: a.jsonl, columns: {instruction: question}}``, also in a list, then with a `weight`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import UserError, did_you_mean
from tunesmith.spelling import near

_KEYS = ("path", "columns", "weight")

Columns = tuple[tuple[str, str], ...]  #: (name that a format wants, name that the column has in the file)


@dataclass(frozen=True)
class Mixture:
    """
    Args:
        paths: as the user wrote them.
        weights: the share that each has in the rows; empty: all rows of all files.
        columns: of each; empty: all are called as their formats want it.
    """

    paths: tuple[str, ...]
    weights: tuple[float, ...] = ()
    columns: tuple[Columns, ...] = ()

    def __str__(self) -> str:
        return " and ".join(self.paths)


def mixture_of(value: Any, key: str = "data") -> Mixture:
    """What is written for an input: a path, a list or a mapping.

    Args:
        key: of the input.

    Raises:
        UserError: TS-SPEC-005 when it names no files.
    """
    found = Mixture((value,)) if isinstance(value, str) else _read(value)
    if isinstance(found, Mixture):
        return found
    forms = f"`{key}: [a.jsonl, b.jsonl]`, `{key}: {{a.jsonl: 0.7, b.jsonl: 0.3}}` or `{key}: {{path: a.jsonl, columns: ...}}`"
    raise UserError("TS-SPEC-005", f"`{key}` {found}", fix=f"Write {forms}.")


def _read(value: Sequence[Any] | Mapping[str, Any]) -> Mixture | str:
    """A sentence of what is wrong with it, if something is."""
    if isinstance(value, Mapping) and "path" in value and not _is_weight(value["path"]):  # with a weight it is a file of that name
        value = [value]
    if isinstance(value, Mapping) and (wrong := _misspelt([value], [key for key, given in value.items() if not _is_weight(given)])):
        return wrong
    if isinstance(value, Mapping):
        entries = [{"path": path, "weight": weight} for path, weight in value.items()]
    else:
        entries = [item if isinstance(item, Mapping) else {"path": item} for item in value]
        if wrong := _misspelt([item for item in value if isinstance(item, Mapping)]):
            return wrong
    paths = [entry.get("path") for entry in entries]
    if not paths or not all(isinstance(path, str) and path for path in paths):
        return f"should name files, got {value!r}"
    if len(set(paths)) < len(paths):
        return "names a file twice"
    weights = [entry["weight"] for entry in entries if "weight" in entry]
    for entry in entries:
        if "weight" in entry and not _is_weight(entry["weight"]):
            return f"should give {entry['path']} a weight above 0, got {entry['weight']!r}"
    if weights and len(weights) < len(entries):
        return "should give a weight to each file, or to none"
    columns = [_columns(entry.get("columns") or {}) for entry in entries]
    for entry, found in zip(entries, columns, strict=True):
        if found is None:
            return (
                f"should say of {entry['path']} which column is which, as in columns: {{instruction: question}}, got {entry['columns']!r}"
            )
    named = tuple(found or () for found in columns)
    return Mixture(tuple(map(str, paths)), tuple(float(weight) for weight in weights), named if any(named) else ())


def _misspelt(entries: Sequence[Mapping[Any, Any]], keys: Sequence[Any] | None = None) -> str:
    """What to say of a key that no entry of a file has; of these `keys`, or of all.

    A mapping of files to shares is no such entry: its keys are any names, so only what is like a key is taken for one.
    """
    for entry in entries:
        for key in map(str, entry if keys is None else keys):
            if key not in _KEYS and (keys is None or near(key, _KEYS)):
                return f"says `{key}` of {entry.get('path', 'a file')}, which is no key of a file. {did_you_mean(key, _KEYS)}"
    return ""


def _is_weight(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf


def _columns(value: Any) -> Columns | None:
    """None for what is no mapping of names, each there once."""
    if not isinstance(value, Mapping) or not all(isinstance(word, str) and word for pair in value.items() for word in pair):
        return None
    return tuple(value.items()) if len(set(value.values())) == len(value) else None
