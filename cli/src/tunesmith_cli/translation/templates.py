"""Finished sentences and the templates that they were made of.

The code says ``f"there is no command `{typed}`"``, the catalogue has ``there is no command `{typed}``` with its translation, and what
arrives at the terminal (through a worker's socket, from a stored run) is the sentence: the template that fits it best is found again,
and its values are put into the translation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

_PLACE = re.compile(r"\{(\w+)\}")
LEAST = 4  #: letters that a template has beside its placeholders; what has fewer says nothing by itself
_DEEP = 4  # templates within templates


class Template(NamedTuple):
    """
    Args:
        parts: the texts between the placeholders, one more than these.
    """

    parts: tuple[str, ...]
    names: tuple[str, ...]
    message: str

    @classmethod
    def of(cls, message: str) -> Template:
        found = _PLACE.split(message)
        return cls(tuple(found[::2]), tuple(found[1::2]), message)

    @property
    def weight(self) -> int:
        """Letters that are said in any case."""
        return sum(character.isalnum() for part in self.parts for character in part)

    def match(self, text: str) -> dict[str, str] | None:
        """The values in `text`; None where it is no such sentence."""
        first, last = self.parts[0], self.parts[-1]
        if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
            return None
        end, place, found = len(text) - len(last), len(first), {}
        for name, part in zip(self.names, (*self.parts[1:-1], ""), strict=True):
            then = text.find(part, place, end) if part else end
            if then < 0 or found.setdefault(name, text[place:then]) != text[place:then]:
                return None
            place = then + len(part)
        return found


class Templates:
    """A catalogue, to be asked for finished sentences."""

    def __init__(self, catalog: Mapping[str, str]) -> None:
        self._catalog = catalog

    @cached_property
    def _ordered(self) -> list[Template]:
        """Those that say most first."""
        found = [Template.of(message) for message in self._catalog if "{" in message]
        return sorted((one for one in found if one.names and one.weight >= LEAST), key=lambda one: -one.weight)

    def translated(self, text: str, depth: int = _DEEP) -> str:
        """The text, each line for itself where it is not known as a whole; spaces around it stay."""
        bare = text.strip()
        found = self._one(bare, depth)
        if found is None and "\n" in bare:
            return "\n".join(self.translated(line, depth) for line in text.split("\n"))
        return text if found is None else text.replace(bare, found, 1)

    def _one(self, text: str, depth: int) -> str | None:
        if not text or text in self._catalog:
            return self._catalog.get(text)
        for template, values in self._fitting(text):
            inner = {name: self.translated(value, depth - 1) if depth else value for name, value in values.items()}
            return _PLACE.sub(lambda place: inner.get(place[1], place[0]), self._catalog[template.message])  # noqa: B023
        return None

    def _fitting(self, text: str) -> Iterator[tuple[Template, dict[str, str]]]:
        for template in self._ordered:
            values = template.match(text)
            if values is not None:
                yield template, values
