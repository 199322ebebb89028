"""Files that somebody else names: a row of data, a link in a model's folder. Whoever opens one follows its links, holds it within bounds,
and opens it without waiting. Standard library only.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from tunesmith.errors import UserError, nearest

_KINDS = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


class NotRegular(OSError):
    """It has no content that ends: a FIFO, a device, a socket."""

    def __init__(self, path: Path | str, mode: int) -> None:
        super().__init__(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a regular file", str(path))


class Outside(OSError):
    """It leads out of the folders that it may lead to. `real`: where to."""

    def __init__(self, path: Path | str, real: Path) -> None:
        leads = "it lies" if os.path.abspath(path) == str(real) else f"it leads to {real},"
        super().__init__(errno.EACCES, f"{leads} outside of the folders that may be read", str(path))
        self.real = real


def open_regular(path: Path | str) -> BinaryIO:
    """A file opened to be read, which never waits for somebody to write.

    Raises:
        NotRegular: it is a FIFO, a device or a socket.
        OSError: it can't be opened.
    """
    _refuse(path, os.stat(path).st_mode)  # opening a device may do something
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    try:
        _refuse(path, os.fstat(descriptor).st_mode)  # it may have been replaced meanwhile
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _refuse(path: Path | str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise NotRegular(path, mode)


def confined(path: Path | str, roots: Iterable[Path]) -> Path:
    """Where `path` leads once every link on it is followed: one of `roots`, or below one.

    Raises:
        Outside: it leads elsewhere.
        ValueError: it has a null byte, so it is no path.
    """
    real = Path(os.path.realpath(path))
    within = {Path(os.path.realpath(root)) for root in roots}
    if within.isdisjoint((real, *real.parents)):
        raise Outside(path, real)
    return real


def open_confined(path: Path | str, roots: Iterable[Path]) -> BinaryIO:
    """A file that leads to below one of `roots`, opened to be read; errors as for `confined` and `open_regular`."""
    return open_regular(confined(path, roots))


def roots_of(folder: Path, declared: Iterable[Path] = ()) -> tuple[Path, ...]:
    """The folders that what lies in `folder` may lead to: itself, those that are `declared`, and, where it is a snapshot in a hub's cache
    (``NAME/snapshots/REVISION``), the files of that cache's entry (``NAME/blobs``), to which all of a snapshot's files are links.
    """
    real = Path(os.path.realpath(folder))
    snapshot = next((above for above in (real, *real.parents) if above.parent.name == "snapshots"), None)
    blobs = snapshot.parent.parent / "blobs" if snapshot else None
    hub = (blobs,) if blobs and blobs.is_dir() and not blobs.is_symlink() else ()
    return (real, *hub, *declared)


def path_of(text: str, base: Path) -> Path:
    """The path that a user wrote, from the folder in which it was written; ``~`` is the user's home."""
    return (base / os.path.expanduser(text)).absolute()


def unreadable(path: Path, shown: str, error: OSError | ValueError) -> UserError:
    """TS-DATA-001 for a file that isn't there, with what lies near it; TS-DATA-006 for one that can't be read.

    Args:
        shown: how the user calls it.
    """
    if not isinstance(error, FileNotFoundError):
        why = "It is a directory." if isinstance(error, IsADirectoryError) else str(getattr(error, "strerror", None) or error)
        special = isinstance(error, (NotRegular, IsADirectoryError))
        fix = "Name a file that holds the rows; those of a pipe can be written to one." if special else "Name a file that you may read."
        return UserError("TS-DATA-006", f"{shown} can't be read", why=why, fix=fix)
    folder = path.parent
    if not os.path.isdir(folder):
        return UserError("TS-DATA-001", f"There is no file {shown}", why=f"There is no directory {folder} either.", fix="Correct the path.")
    entries = islice(os.scandir(folder), 1000) if os.access(folder, os.R_OK) else ()
    names = [entry.name for entry in entries if entry.is_file()]
    why = f"It was looked for in {folder.absolute()}." if not Path(shown).is_absolute() else ""
    return UserError("TS-DATA-001", f"There is no file {shown}", why=why, fix=nearest(path.name, names, "Correct the path."))
