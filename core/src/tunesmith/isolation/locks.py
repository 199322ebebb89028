"""Locks between processes that share a home: the kernel of the system drops them when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

POLL = 0.2  # seconds between two tries


class FileLock:
    """An exclusive lock on a file, which is removed on release.

    Args:
        path: the lock file; its directory is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1

    def try_acquire(self) -> bool:
        """Take it if it is free."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        if not self._is(fd):  # its last holder removed it between the two calls
            os.close(fd)
            return self.try_acquire()
        self._fd = fd
        with contextlib.suppress(OSError):  # a full disk is no reason not to have the lock; the name is for `holder` only
            os.truncate(fd, 0)
            os.write(fd, str(os.getpid()).encode())
        return True

    def acquire(self, waiting: Callable[[], None] = lambda: None) -> None:
        """Take it, waiting for its holder; `waiting` is called at every try that fails and may raise to give up."""
        while not self.try_acquire():
            waiting()
            time.sleep(POLL)

    def release(self) -> None:
        if self._fd >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1

    def holder(self) -> str:
        """Process id of the holder, as it wrote it; empty if unknown."""
        try:
            return self.path.read_text()
        except OSError:
            return ""

    def _is(self, fd: int) -> bool:
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        here = os.fstat(fd)
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
