"""Logs of a step: what its processes print, kept within bounds, and the last lines of it for a message."""

from __future__ import annotations

import os
from pathlib import Path

LIMIT = 32 * 2**20  # bytes of one log file
_KEPT = LIMIT // 2
_NOTE = "\n[tunesmith: the output was longer than {limit} MiB and is cut here]\n"


def cap(path: Path, limit: int = LIMIT) -> None:
    """Cut a log that a process is appending to back to its first half when it has grown over `limit` bytes."""
    try:
        if path.stat().st_size <= limit:
            return
        os.truncate(path, min(_KEPT, limit // 2))
        with open(path, "ab") as file:
            file.write(_NOTE.format(limit=limit // 2**20).encode())
    except FileNotFoundError:
        return


def tail(path: Path, lines: int = 5, width: int = 300) -> list[str]:
    """The last non-empty lines of a log."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip()[:width] for line in text.splitlines() if line.strip()][-lines:]
