"""Hashes of files and of the directories that artifacts are."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tunesmith.contracts.digests import file_sha256

_THREADS = min(4, os.cpu_count() or 1)  # hashlib lets go of the interpreter's lock


def canonical(value: Any) -> bytes:
    """JSON with one way to write each value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")


def files_sha256(paths: Iterable[Path], unreadable: str | None = None) -> list[str]:
    """Hexadecimal SHA-256 of several files, in order, on several cores.

    Args:
        unreadable: stands for that of a file that can't be read, if given.
    """

    def hashed(path: Path) -> str:
        try:
            return file_sha256(path)
        except OSError:
            if unreadable is None:
                raise
            return unreadable

    paths = list(paths)
    if len(paths) < 2:
        return [hashed(path) for path in paths]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(hashed, paths))


def artifact_digest(format: str, files: Mapping[str, Iterable[Any]], refs: Mapping[str, str]) -> str:
    """``sha256:...`` over what an artifact is: its format, its files as path -> [sha256, size], its refs as name -> digest."""
    content = {"format": format, "files": {path: list(entry) for path, entry in files.items()}, "refs": dict(refs)}
    return "sha256:" + hashlib.sha256(canonical(content)).hexdigest()
