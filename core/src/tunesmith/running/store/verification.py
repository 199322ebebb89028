"""Whether artifacts hold what they were made with: by how their files look, and, at a bounded cost, by what is in them.

Beside each artifact lies ``seal.json``, how its files looked when they were last hashed, and when that was. A file that looks otherwise was
touched, or copied, and is hashed again before it is believed. Bytes that flip on a disk change no looks: that takes reading.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith.contracts.digests import Looks, looks
from tunesmith.running.store.hashing import files_sha256

SEAL = "seal.json"
ALL = math.inf


@dataclass
class _File:
    artifact: str
    name: str
    path: Path
    sha256: str
    size: int
    looks: Looks
    at: float  # when it was last hashed; 0 if it looks touched since


def seal(directory: Path, files: Path, names: Iterable[str]) -> None:
    """Note that these files were hashed just now."""
    _write(directory, {name: [looks(files / name), time.time()] for name in names})


def damage(artifacts: Mapping[str, tuple[Path, Path, Mapping[str, Any]]], budget: float = 0) -> dict[str, str]:
    """What is wrong, of those artifacts with which something is.

    Args:
        artifacts: digest -> its directory, that of its files, and path -> [sha256, size] of them.
        budget: bytes to read of files that look untouched, those that were not hashed for the longest time first; the last file read is
            read to its end. Files that look touched are hashed in any case.
    """
    found: dict[str, str] = {}
    files: list[_File] = []
    seals = {digest: read_note(place[0] / SEAL) or {} for digest, place in artifacts.items()}
    for digest, (_, folder, entries) in artifacts.items():
        for name, (sha256, size) in entries.items():
            file = _look(digest, name, folder / name, sha256, size, seals[digest].get(name))
            if isinstance(file, str):
                found.setdefault(digest, file)
            else:
                files.append(file)
        if added := _added(folder, entries):
            found.setdefault(digest, f"it was made without the file {added}, which lies in it now")
    hashed = _hashed(files, budget)
    for file, sha256 in hashed:
        if sha256 != file.sha256:
            found.setdefault(file.artifact, f"the content of its file {file.name} {'has changed' if sha256 else 'can not be read'}")
        seals[file.artifact][file.name] = [file.looks, time.time()]
    for digest in {file.artifact for file, _ in hashed} - set(found):
        _write(artifacts[digest][0], seals[digest])
    return found


def _look(digest: str, name: str, path: Path, sha256: str, size: int, sealed: Any) -> _File | str:
    try:
        now = looks(path)
        there = path.stat().st_size
    except OSError:
        return f"its file {name} is missing"
    if there != size:
        return f"its file {name} has {there} bytes instead of {size}"
    return _File(digest, name, path, sha256, size, now, sealed[1] if sealed and sealed[0] == now else 0.0)


def _added(folder: Path, entries: Mapping[str, Any]) -> str:
    """The first file, or link, that is there and was not when the artifact was made; empty if there is none. No content is read."""
    found = (Path(parent, name) for parent, folders, files in os.walk(folder) for name in sorted([*files, *folders]))
    strange = (path.relative_to(folder).as_posix() for path in found if path.is_symlink() or not path.is_dir())
    return next((name for name in strange if name not in entries), "")


def _hashed(files: list[_File], budget: float) -> list[tuple[_File, str]]:
    chosen, left = [], budget
    for file in sorted(files, key=lambda file: file.at):
        if file.at and left <= 0:
            break
        chosen.append(file)
        left -= file.size if file.at else 0
    return list(zip(chosen, files_sha256((file.path for file in chosen), unreadable=""), strict=True))


def _write(directory: Path, sealed: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):  # without it all is hashed again next time
        write_note(directory / SEAL, sealed)
