"""SHA-256 of files that somebody else may change: remembered for as long as a file looks untouched, and no longer.

A file looks untouched while its inode, size, modification time and change time are the same. The system sets the change time by itself
whenever content or attributes change, and nobody can set it back; where it alone has changed, the file is hashed again. A file that was
touched so shortly before it was hashed that its clock might not tell a further change is not remembered at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith.contracts.untrusted_files import open_regular

SETTLED = 2.0  # seconds: the coarsest clock of a file system in use (FAT)
_BUFFER = 4 * 2**20

Looks = list[Any]  #: of a file; of a directory, of all files below it with their names


def file_sha256(path: Path, tick: Callable[[int], None] | None = None) -> str:
    """Hexadecimal SHA-256 of a file; `tick` is told the bytes as they are read.

    Raises:
        OSError: when it can't be read, or is a FIFO, a device or a socket.
    """
    state = hashlib.sha256()
    buffer = memoryview(bytearray(_BUFFER))
    with open_regular(path) as file:
        while count := file.readinto(buffer):
            state.update(buffer[:count])
            if tick:
                tick(count)
    return state.hexdigest()


def content_sha256(path: Path, tick: Callable[[int], None] | None = None) -> str:
    """The same of a file, or of a directory: over the names and contents of all files in it."""
    if not path.is_dir():
        return file_sha256(path, tick)
    listing = [[name, file_sha256(file, tick)] for name, file in _below(path)]
    return hashlib.sha256(json.dumps(listing, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def looks(path: Path) -> Looks:
    """What tells whether a file was touched, without reading it; of a directory, the same of all files in it.

    Raises:
        OSError: when it is not there.
    """
    if path.is_dir():
        return [[name, *looks(file)] for name, file in _below(path)]
    stat = path.stat()
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def settled(seen: Looks, at: float) -> bool:
    """Whether all these files were last touched so long before the time `at` that a later change must show in their looks."""
    files = seen if not seen or isinstance(seen[0], list) else [seen]
    return all(max(file[-2:]) / 1e9 < at - SETTLED for file in files)


@dataclass(frozen=True)
class HashedFile:
    """A file or directory as it was when it was hashed, at the time `at`."""

    path: Path
    digest: str
    looks: Looks
    at: float


class FileDigests:
    """Callable: path -> ``sha256:...`` of a file's content, or of a directory's (names and contents of all files in it).

    Args:
        root: where it is remembered.
        refresh: what was remembered before does not count.
        tick: told the bytes as they are read.
    """

    def __init__(self, root: Path, *, refresh: bool = False, tick: Callable[[int], None] | None = None) -> None:
        self._root, self._refresh, self._tick = root, refresh, tick
        self._known: dict[Path, HashedFile] = {}

    def __call__(self, path: Path) -> str:
        return self.seen(path).digest

    def seen(self, path: Path) -> HashedFile:
        """The file with its digest and how it looked before it was read."""
        path = Path(path).resolve()
        at, now = time.time(), looks(path)
        known = self._known.get(path) or self._remembered(path)
        if known and known.looks == now and settled(now, known.at):
            return known
        seen = HashedFile(path, "sha256:" + self._hash(path), now, at)
        if settled(now, at) and _looks_so(seen):
            self._known[path] = seen
            with contextlib.suppress(OSError):  # without the note it is hashed again next time
                write_note(self._note(path), [seen.digest, now, at])
        return seen

    def again(self, seen: HashedFile) -> HashedFile | None:
        """What was hashed before, as it is now; None if it is something else, or not there."""
        if self.holds(seen):
            return seen
        try:
            at, now = time.time(), looks(seen.path)
            return HashedFile(seen.path, seen.digest, now, at) if "sha256:" + self._hash(seen.path) == seen.digest else None
        except OSError:
            return None

    def holds(self, seen: HashedFile) -> bool:
        """Whether all that was read of it since was what was hashed.

        A file whose looks could not tell is hashed again. One that was touched may have been something else in the meantime, whatever it
        is now.
        """
        if not _looks_so(seen):
            return False
        return settled(seen.looks, seen.at) or "sha256:" + self._hash(seen.path) == seen.digest

    def forget(self, path: Path) -> None:
        """Hash it again when it is next asked for: what was remembered has turned out wrong."""
        path = Path(path).resolve()
        self._known.pop(path, None)
        self._note(path).unlink(missing_ok=True)

    def _remembered(self, path: Path) -> HashedFile | None:
        note = None if self._refresh else read_note(self._note(path))
        return HashedFile(path, *note) if note else None

    def _note(self, path: Path) -> Path:
        return self._root / hashlib.sha256(os.fsencode(path)).hexdigest()

    def _hash(self, path: Path) -> str:
        return content_sha256(path, self._tick)


def _looks_so(seen: HashedFile) -> bool:
    try:
        return looks(seen.path) == seen.looks
    except OSError:
        return False


def _below(directory: Path) -> list[tuple[str, Path]]:
    return [(file.relative_to(directory).as_posix(), file) for file in sorted(directory.rglob("*")) if file.is_file()]
