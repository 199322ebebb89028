"""The two hashes that hubs give their files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from tunesmith_hubs.listing import HubFile

_CHUNK = 4 << 20


def git_header(size: int) -> bytes:
    """What git hashes before a blob's contents: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects"""
    return b"blob %d\0" % size


def matches(path: Path, file: HubFile, tick: Callable[[int], None] = lambda count: None) -> bool:
    """Whether the file at `path` is that file of the hub, which has a digest; `tick` is told the bytes as they are read."""
    if path.stat().st_size != file.size:
        return False
    digest = hashlib.sha1(git_header(file.size), usedforsecurity=False) if file.git else hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            tick(len(chunk))
    return digest.hexdigest() == file.digest
