"""A configuration: keys with their values, and the line of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def plain(key: str) -> str:
    """The key without numbers of list entries: ``datasets[0].path`` is ``datasets.path``."""
    return re.sub(r"\[\d+\]", "", key)


@dataclass(frozen=True)
class Entry:
    """
    Args:
        key: with dots where mappings are nested, and the number of an entry of a list of mappings: ``datasets[0].path``.
        line: from 1.
        file: name of the file that it stands in.
    """

    key: str
    value: Any
    line: int
    file: str = ""


@dataclass(frozen=True)
class Configuration:
    """
    Args:
        form: ``keys`` (YAML, JSON), ``command`` (a shell script) or ``script`` (Python).
        command: what is started, of a shell script: ``swift sft``.
        environment: variables that are set for it.
    """

    path: Path
    entries: tuple[Entry, ...]
    form: str = "keys"
    command: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {entry.key: entry for entry in self.entries})

    def entry(self, key: str) -> Entry | None:
        return self._by_key.get(key)  # type: ignore[attr-defined, no-any-return]

    def names(self) -> set[str]:
        """Keys without numbers, and the first part of each."""
        found = {plain(entry.key) for entry in self.entries}
        return found | {name.partition(".")[0] for name in found}


def flat(value: Any, lines: Mapping[tuple[Any, ...], int], file: str, path: tuple[Any, ...] = (), key: str = "") -> Iterator[Entry]:
    """The leaves of a document. Lists of plain values, and what is empty, are leaves."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from flat(inner, lines, file, (*path, name), f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for number, inner in enumerate(value):
            yield from flat(inner, lines, file, (*path, number), f"{key}[{number}]")
    elif key:
        yield Entry(key, value, _line(path, lines), file)


def _line(path: tuple[Any, ...], lines: Mapping[tuple[Any, ...], int]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
