"""Making what was written survive a power cut."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def sync_directory(directory: Path) -> None:
    """Flush a directory's entries to the disk."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_durable(root: Path) -> None:
    """Make every file below `root` read-only, and flush all, files before directories."""
    files: list[str] = []
    directories: list[str] = []
    for parent, _, names in os.walk(root, topdown=False):
        files += [os.path.join(parent, name) for name in names]
        directories.append(parent)

    def seal(file: str) -> None:
        fd = os.open(file, os.O_RDONLY)
        try:
            os.fchmod(fd, 0o444)
            os.fsync(fd)
        finally:
            os.close(fd)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(seal, files))
    for directory in directories:
        sync_directory(Path(directory))
