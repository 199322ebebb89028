"""The last points of a step's series, kept in its work directory: a host that is killed has not taken down all that it was sent."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE, BEFORE = ".points.jsonl", ".points.before.jsonl"
KEPT, BYTES = 1000, 4 * 2**20  # points at least, or so many bytes of them; more are never on their way to the host


class PointsFile:
    """What a worker writes, a line at a time, before it sends a point. Nothing where the directory can't be written to."""

    def __init__(self, work: Path) -> None:
        self._path, self._before = work / FILE, work / BEFORE
        self._lines = self._bytes = 0

    def add(self, point: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            if self._lines >= KEPT or self._bytes >= BYTES:
                os.replace(self._path, self._before)
                self._lines = self._bytes = 0
            with open(self._path, "a", encoding="utf-8") as file:
                self._bytes += file.write(json.dumps(point) + "\n")
            self._lines += 1


def points_in(work: Path) -> Iterator[tuple[str, float, int]]:
    """(name, value, at) of the points in a work directory, in order."""
    for path in (work / BEFORE, work / FILE):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError, KeyError, TypeError):  # cut off by a kill
                    point = json.loads(line)
                    yield str(point["name"]), float(point["value"]), int(point["at"])
