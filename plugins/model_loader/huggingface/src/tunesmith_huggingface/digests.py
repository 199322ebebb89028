"""The two hashes that the hub gives its files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from tunesmith_huggingface.repository_files import HubFile

_CHUNK = 4 << 20


def matches(path: Path, file: HubFile, tick: Callable[[int], None] = lambda count: None) -> bool:
    """Whether the file at `path` is that file of the hub; `tick` is told the bytes as they are read."""
    if path.stat().st_size != file.size:
        return False
    digest = hashlib.sha1(usedforsecurity=False) if file.git else hashlib.sha256()
    if file.git:
        digest.update(b"blob %d\0" % file.size)  # https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            tick(len(chunk))
    return digest.hexdigest() == file.digest
