"""Images, sounds and videos that rows name: found from where the rows lie, and kept in the dataset by their content.

`data inspect`, planning and the step `prepare` judge media by `Look`, which decodes none: whether a picture is one is seen by the step that
reads it. A video may be a folder of pictures. Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from tunesmith.contracts.untrusted_files import Outside, open_confined
from tunesmith.errors import UserError
from tunesmith_data.api import CONVERSATIONS, Part, Row

FOLDER = "media"
_ADDRESS = re.compile(r"data:|[A-Za-z][\w+.-]*://")
_BUFFER = 2**20
_PRETENDERS = {
    b"version https://git-lfs": "a pointer of Git LFS (`git lfs pull` brings the file)", b"<!doctype html": "a page of HTML",
    b"<html": "a page of HTML",
}  # fmt: skip  # what a download that failed leaves under a medium's name


def located(reference: str, folder: Path) -> Path | None:
    """The file or folder that a row's `reference` names, from the `folder` of the rows; None for a ``data:`` URL and for an address."""
    if reference.startswith("file://"):
        return Path(url2pathname(urlsplit(reference).path))
    return None if _ADDRESS.match(reference) else folder / os.path.expanduser(reference)


def is_address(reference: str) -> bool:
    """Whether a reference is neither a file nor holds its medium itself."""
    return bool(_ADDRESS.match(reference)) and not reference.startswith(("data:", "file://"))


def files_of(path: Path) -> Sequence[Path]:
    """The file itself, or the files of a folder in the order of their names.

    Raises:
        OSError: it is a folder without files.
    """
    if not path.is_dir():
        return [path]
    found = sorted(entry for entry in path.iterdir() if entry.is_file())
    if not found:
        raise OSError("it is a folder without files")
    return found


def content_of(path: Path, roots: Sequence[Path]) -> str:
    """Hexadecimal SHA-256 of a file; of a folder, over its files' names and contents.

    Args:
        roots: folders that the files may lie in (see `tunesmith.contracts.untrusted_files`).

    Raises:
        OSError: a file can't be read, is no regular one, or leads elsewhere.
    """
    if path.is_dir():
        return hashlib.sha256(json.dumps([[file.name, content_of(file, roots)] for file in files_of(path)]).encode()).hexdigest()
    state = hashlib.sha256()
    with open_confined(path, roots) as file:
        while piece := file.read(_BUFFER):
            state.update(piece)
    return state.hexdigest()


class Look:
    """Whether media can be had, as far as that is seen without decoding them.

    Args:
        folder: where the rows lie.
        roots: folders that the media may lie in.
    """

    def __init__(self, folder: Path, roots: Sequence[Path]) -> None:
        self.folder, self.roots = folder, roots
        self._seen: set[tuple[str, str]] = set()

    def row(self, row: Row) -> set[str]:
        """The types of media in a converted row.

        Raises:
            UserError: see `reference`.
        """
        parts = [part for key in CONVERSATIONS for part in _parts(row.get(key, ())) if part["type"] != "text"]
        for part in parts:
            name = part.get("path") or part["url"]
            if (part["type"], name) not in self._seen:
                self.reference(name, part["type"])
                if not name.startswith("data:"):  # what holds its medium itself may be long
                    self._seen.add((part["type"], name))
        return {part["type"] for part in parts}

    def reference(self, name: str, type: str = "") -> Path | bytes:
        """The file or folder that a row names, or the bytes that a ``data:`` URL holds.

        Args:
            type: of the part; empty if it is not known.

        Raises:
            UserError: TS-DATA-061 for a file that isn't there, TS-DATA-063 for an address, TS-DATA-065 for one that lies elsewhere,
                TS-DATA-022 for a ``data:`` URL that is broken, TS-DATA-060 for what is surely no such medium.
        """
        if is_address(name):
            raise remote(name)
        try:
            place = located(name, self.folder)
            if place is None:
                return _decoded(name)
            if type not in ("", "video") and place.is_dir():
                raise _unfit(name, "it is a folder, and only a video may be a folder of pictures")
            for file in files_of(place):
                with open_confined(file, self.roots) as content:
                    head = content.read(64).lstrip().lower()
                    if not content.seek(0, os.SEEK_END):
                        raise _unfit(name, "it is empty")
                if found := next((what for start, what in _PRETENDERS.items() if head.startswith(start)), ""):
                    raise _unfit(name, f"it is {found}")
        except (OSError, ValueError) as error:
            raise unusable(name, error) from error
        return place


class Keeper:
    """Takes the media of rows into a dataset, each once.

    Args:
        folder, roots: as `Look` takes them.
        output: the dataset's directory.
    """

    def __init__(self, folder: Path, output: Path, roots: Sequence[Path]) -> None:
        self.look, self.output, self.roots = Look(folder, roots), output, roots
        self._kept: dict[tuple[str, str], str] = {}

    @property
    def count(self) -> int:
        """Different media so far."""
        return len(set(self._kept.values()))

    def row(self, row: Row) -> Row:
        """The row with every medium named as a path within the dataset.

        Raises:
            UserError: see `Look.reference`.
        """
        found = [key for key in CONVERSATIONS if any(part["type"] != "text" for part in _parts(row.get(key, ())))]
        return {**row, **{key: [self._message(turn) for turn in row[key]] for key in found}} if found else row

    def _message(self, turn: Mapping[str, Any]) -> dict[str, Any]:
        return {**turn, "content": [part if part["type"] == "text" else self._part(part) for part in turn["content"]]}

    def _part(self, part: Part) -> dict[str, Any]:
        key = (part["type"], part.get("path") or part["url"])
        if key not in self._kept:
            self._kept[key] = self._take(*key)
        return {"type": part["type"], "path": self._kept[key]}

    def _take(self, type: str, reference: str) -> str:
        source = self.look.reference(reference, type)
        (self.output / FOLDER).mkdir(exist_ok=True)
        if isinstance(source, bytes):
            suffix = mimetypes.guess_extension(re.split("[,;]", reference.removeprefix("data:"), maxsplit=1)[0]) or ""
            name = f"{FOLDER}/{hashlib.sha256(source).hexdigest()}{suffix}"
            (self.output / name).write_bytes(source)
            return name
        try:
            name = f"{FOLDER}/{content_of(source, self.roots)}{'' if source.is_dir() else source.suffix.lower()}"
        except OSError as error:
            raise unusable(reference, error) from error
        place = self.output / name
        if not place.exists():
            if source.is_dir():
                place.mkdir()
            for file in files_of(source):
                with open_confined(file, self.roots) as read, open(place / file.name if source.is_dir() else place, "wb") as written:
                    shutil.copyfileobj(read, written, _BUFFER)
        return name


def _decoded(reference: str) -> bytes:
    """What a ``data:`` URL holds."""
    head, _, body = reference.removeprefix("data:").partition(",")
    try:
        data = base64.b64decode(body, validate=True) if "base64" in head.split(";") else unquote_to_bytes(body)
    except ValueError as error:  # binascii's, and that of text that is not ASCII
        raise UserError("TS-DATA-022", f"A `data:` URL can't be decoded: {error}", fix="Write its bytes in base64.") from error
    if not data:
        raise UserError("TS-DATA-022", f"The `data:` URL {reference[:40]} holds nothing", fix="Write its bytes in base64.")
    return data


def _unfit(reference: str, why: str) -> UserError:
    return UserError("TS-DATA-060", f"{reference} can't be used", why=why, fix="Fix the file, or leave the row out.")


def unusable(reference: str, error: OSError | ValueError) -> UserError:
    """Why a file that a row names is not taken."""
    if isinstance(error, Outside):
        return UserError(
            "TS-DATA-065", f"The row names {reference}, which lies outside of the folder of its rows", why=f"It is {error.real}.",
            fix=f'Put it below that folder; or, if it is meant, write in tunesmith.toml: [files] roots = ["{error.real.parent}"].',
        )  # fmt: skip
    why = "" if isinstance(error, FileNotFoundError) else str(getattr(error, "strerror", None) or error)
    what = f"There is no file {reference}" if not why else f"The file {reference} can't be read"
    return UserError("TS-DATA-061", what, why=why, fix="Name it from the folder in which the rows lie, or in full.")


def remote(reference: str) -> UserError:
    return UserError(
        "TS-DATA-063", f"The row names {reference[:80]}, which lies on a network",
        why="A dataset holds all that it is made of, so that training on it can be done again.",
        fix="Download it, and name the file.",
    )  # fmt: skip


def _parts(turns: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    return (part for turn in turns for part in turn["content"])
