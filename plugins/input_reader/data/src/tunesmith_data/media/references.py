"""Which files the rows of a data file name beside it, by the formats' row schemas: what has ``"format": "media"`` there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.contracts.digests import HashedFile, content_sha256, looks, settled
from tunesmith.contracts.untrusted_files import confined, roots_of
from tunesmith.errors import TunesmithError
from tunesmith_data.api import expanded
from tunesmith_data.digest import digest_of
from tunesmith_data.line import NotRows
from tunesmith_data.media.files import Look, files_of, located, unusable
from tunesmith_data.rows_file import read_file

MEDIA = "media"
Found = dict[str, list[Any]]  #: reference -> [line of the first row with it, looks of its files, their digest, when they were hashed]


def names_media(schema: Any) -> bool:
    """Whether there is a place for media in a row of this schema."""
    if isinstance(schema, Mapping):
        return schema.get("format") == MEDIA or any(map(names_media, schema.values()))
    return isinstance(schema, (list, tuple)) and any(map(names_media, schema))


def media_in(schema: Any, value: Any) -> Iterator[str]:
    """What a row names, in its order; ``data:`` URLs left out."""
    if not isinstance(schema, Mapping):
        return
    if schema.get("format") == MEDIA:
        yield from _references(value)
    elif isinstance(value, Mapping):
        for name, entry in schema.get("properties", {}).items():
            if name in value:
                yield from media_in(entry, value[name])
    elif isinstance(value, list):
        for item in value:
            yield from media_in(schema.get("items", {}), item)
    for option in (option for key in ("anyOf", "oneOf", "allOf") for option in schema.get(key, ())):
        yield from media_in(option, value)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value and not value.startswith("data:"):
            yield value
    elif isinstance(value, Mapping):
        yield from _references(value.get("url") or value.get("path"))
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


class Media(NamedTuple):
    """What the rows of a file name.

    Args:
        digest: of all of it; empty where that is nothing.
        size: bytes.
        files: as they were when they were hashed.
        wrong: what can't be had, with the lines of all rows that name it.
    """

    digest: str = ""
    size: int = 0
    files: tuple[HashedFile, ...] = ()
    wrong: tuple[tuple[int, TunesmithError], ...] = ()


def media_of(
    path: Path, digest: str, schema: Mapping[str, Any], memory: MutableMapping[str, Any], roots: Sequence[Path] = (),
    columns: Mapping[str, str] | None = None,
) -> Media:  # fmt: skip
    """What the rows of a data file name.

    Args:
        digest: of the file itself.
        memory: what was found before; a medium that looks untouched is not hashed again. Filled, too: what is found goes under one key.
        roots: folders besides the file's own that media may lie in.
    """
    plain = expanded(schema)
    if not names_media(plain):
        return Media()
    key = "media " + digest_of([digest, schema, columns or {}])
    remembered = memory.get(key)
    known: Found = (
        remembered if isinstance(remembered, dict) else {name: [line, None, "", 0] for name, line in _named(path, plain, columns).items()}
    )
    found: Found = {}
    places: dict[str, Path] = {}
    wrong: dict[str, TunesmithError] = {}
    size, within = 0, roots_of(path.parent, roots)
    look = Look(path.parent, within)
    for name, (line, looked, _, at) in known.items():
        try:
            place = located(name, path.parent)
            if place is None:  # an address
                raise ValueError(look.reference(name))
            files = [confined(file, within) for file in files_of(place)]
            began, now = time.time(), looks(place)
            places[name] = place
            size += sum(file.stat().st_size for file in files)
            untouched = now == looked and settled(now, at)
            if not untouched:
                look.reference(name)
            found[name] = known[name] if untouched else [line, now, content_sha256(place), began]
        except TunesmithError as error:
            wrong[name] = error
        except (OSError, ValueError) as error:
            wrong[name] = unusable(name, error)
    if wrong:
        return Media("", size, (), tuple((line, wrong[name]) for line, name in _references_of(path, plain, columns) if name in wrong))
    if found != remembered:
        memory[key] = found
    if not found:
        return Media()
    contents = sorted([name, entry[2]] for name, entry in found.items())
    files = tuple(HashedFile(place, "sha256:" + found[name][2], *found[name][1::2]) for name, place in places.items())
    return Media("sha256:" + digest_of(contents), size, files)


def _named(path: Path, schema: Mapping[str, Any], columns: Mapping[str, str] | None) -> dict[str, int]:
    named: dict[str, int] = {}
    for line, name in _references_of(path, schema, columns):
        named.setdefault(name, line)
    return named


def _references_of(path: Path, schema: Mapping[str, Any], columns: Mapping[str, str] | None) -> Iterator[tuple[int, str]]:
    """What the rows name, with their lines."""
    try:
        for line in read_file(path, columns):
            if line.row is not None:
                yield from ((line.number, name) for name in media_in(schema, line.row))
    except (NotRows, OSError):
        return  # told where the rows are checked
