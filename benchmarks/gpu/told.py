"""What an entry tells: rows, one after the other, so that what was found stays when the time is over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

PASSED, FAILED, MEASURED, SKIPPED = "passed", "FAILED", "measured", "skipped"


@dataclass(frozen=True)
class Row:
    """Args:
    what: was looked at.
    found: in words.
    reason: why it was skipped, or failed.
    figures: the numbers, for programs.
    """

    what: str
    state: str
    found: str = ""
    reason: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


class Skip(Exception):
    """Something is not here; the sentence says what."""


class Telling:
    """Args:
    path: a file for the rows, a line each.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def row(self, row: Row) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")

    def held(self, what: str, found: str, *, holds: bool, otherwise: str, **figures: float) -> None:
        """A promise: whether it `holds`, and what is said if it does not."""
        self.row(Row(what, PASSED if holds else FAILED, found, "" if holds else otherwise, figures))

    def measured(self, what: str, found: str, **figures: float) -> None:
        self.row(Row(what, MEASURED, found, "", figures))

    def skipped(self, what: str, reason: str) -> None:
        self.row(Row(what, SKIPPED, "", reason))


def rows(path: Path) -> list[Row]:
    if not path.exists():
        return []
    return [Row(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def sentence(error: Exception) -> str:
    """Its first."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0].partition('. ')[0][:160]}"
