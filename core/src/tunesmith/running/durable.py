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


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new content, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
