"""A pipeline of one training as it is made, with where each value is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

#: parts of a step that are a provider with settings -> the key that they stand under
PROVIDERS = {"objective": "train", "adapter": "adapter", "optimizer": "optimizer", "strategy": "strategy"}
INPUTS = ("data", "validation", "reference")
STEP = "tune"


@dataclass(frozen=True)
class Origin:
    """Where a value is from.

    Args:
        key: of the configuration; empty: of none.
        line: 0: it is not written there, and this is the default of `tool`.
        note: what more there is to say, a sentence without an end.
    """

    key: str = ""
    line: int = 0
    file: str = ""
    tool: str = ""
    note: str = ""


@dataclass
class Draft:
    """
    Args:
        values: path -> value with its origins. The first part of a path is ``name``, ``model``, ``seed``, ``device``, ``track``, an input
            of the step (``data``), ``settings``, or a provider (``objective``, ``adapter``, ``optimizer``, ``strategy``): alone its name,
            followed by a setting's name that setting.
        remarks: what the user should look at, a sentence each.
    """

    values: dict[str, tuple[Any, tuple[Origin, ...]]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def set(self, path: str, value: Any, *origins: Origin, note: str = "") -> None:
        """Write a value. `note` is said behind its origins."""
        self.values[path] = (value, (*origins, *([Origin(note=note)] if note else [])))

    def get(self, path: str, otherwise: Any = None) -> Any:
        return self.values[path][0] if path in self.values else otherwise

    def drop(self, path: str) -> None:
        for name in [name for name in self.values if name == path or name.startswith(f"{path}.")]:
            del self.values[name]

    def names(self, parts: Sequence[str] = tuple(PROVIDERS)) -> set[str]:
        """Of the providers that are chosen so far."""
        return {str(self.get(part)) for part in parts if self.get(part)}
