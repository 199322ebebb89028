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
_LIGHT, _WORDS = (
    12,
    3,
)  # what says fewer letters than that fits much that it does not mean: its values are of a few words, of two where it begins with them
_OF_NAMES = {"name", "step", "group", "key", "path", "file", "id", "uri"}
_NAMED = re.compile(r"(\S+): (.+)", re.DOTALL)  # a step of several has colons in its name
_BETWEEN = (("; ", "; "), (", ", ", "))


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

    def quoted(self, name: str) -> bool:
        """Whether the placeholder is a name, which is no word to translate: it says so, or stands between backticks, alone or within
        what is to be typed."""
        before = "".join(self.parts[: self.names.index(name) + 1])
        return name.rstrip("23456789") in _OF_NAMES or before.count("`") % 2 == 1

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
        most = _WORDS if first else 1
        light = self.weight < _LIGHT and any(value.count(" ") > most for value in found.values())
        return None if light else found


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
        found = self._filled_in(text, depth)
        return found if found is not None else self._in_parts(text, depth)

    def _in_parts(self, text: str, depth: int) -> str | None:
        """Of a list the parts, and what follows a step's name, where these are known; None where none of them is."""
        named = _NAMED.fullmatch(text)
        if named and depth:
            rest = self.translated(named[2], depth - 1)
            return None if rest == named[2] else f"{named[1]}: {rest}"
        for between, written in _BETWEEN:
            parts = text.split(between)
            told = [self.translated(part, depth - 1) for part in parts] if len(parts) > 1 and depth else parts
            if told != parts:
                return written.join(told)
        return None

    def _filled_in(self, text: str, depth: int) -> str | None:
        for template, values in self._fitting(text):
            inner = {
                name: self.translated(value, depth - 1) if depth and not template.quoted(name) else value for name, value in values.items()
            }
            return _PLACE.sub(lambda place: inner.get(place[1], place[0]), self._catalog[template.message])  # noqa: B023
        return None

    def _fitting(self, text: str) -> Iterator[tuple[Template, dict[str, str]]]:
        for template in self._ordered:
            values = template.match(text)
            if values is not None:
                yield template, values
