"""The journal of a search: a line of JSON for each thing that happened, written to the disk before anything follows from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError

FILE = "journal.jsonl"


class SearchJournal:
    """Only ever added to. What a kill left half written is no line, and is cut off before the next one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._file: Any = None

    def read(self) -> list[dict[str, Any]]:
        """All whole lines.

        Raises:
            TunesmithError: TS-TUNE-007 when there is a line that is none.
        """
        if not self.path.exists():
            return []
        text = self.path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            with open(self.path, "r+b") as file:
                file.truncate(len(whole))
        found = []
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                found.append(json.loads(line))
            except ValueError:
                raise TunesmithError(
                    "TS-TUNE-007", f"line {number} of {self.path} can't be read", why="Somebody has changed it, or the disk is damaged.",
                    fix="Begin anew with --new: trials that were run come from the cache.",
                ) from None  # fmt: skip
        return found

    def write(self, record: Mapping[str, Any]) -> None:
        """Add a line; it is on the disk when this returns."""
        if self._file is None:
            self._file = open(self.path, "ab")  # noqa: SIM115
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
