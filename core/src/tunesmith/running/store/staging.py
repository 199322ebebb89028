"""Directories in which artifacts are made: invisible to everyone else, and swept away when their maker died."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from tunesmith.isolation.locks import FileLock


class Staging:
    """The staging area of a home. Every directory has a lock beside it that is held for as long as its maker lives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._locks: dict[Path, FileLock] = {}

    def make(self) -> Path:
        """A new, empty directory of this process's own."""
        directory = self.root / secrets.token_hex(8)
        lock = FileLock(directory.with_suffix(".lock"))
        lock.acquire()  # before the directory is there, so that a sweep never sees it without
        directory.mkdir()
        self._locks[directory] = lock
        return directory

    def drop(self, directory: Path) -> None:
        """Remove a directory that `make` gave, or what is left of it."""
        shutil.rmtree(directory, ignore_errors=True)
        if lock := self._locks.pop(directory, None):
            lock.release()

    def sweep(self) -> int:
        """Remove what makers that are dead have left; how many directories."""
        count = 0
        for path in sorted(self.root.glob("*")) if self.root.is_dir() else ():
            directory = path.with_suffix("")
            lock = FileLock(directory.with_suffix(".lock"))
            if directory in self._locks or not lock.try_acquire():
                continue
            count += directory.is_dir()
            shutil.rmtree(directory, ignore_errors=True)
            lock.release()
        return count
