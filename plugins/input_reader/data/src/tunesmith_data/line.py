"""A line of a file of rows, and what a file is that has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

LARGEST_ROW = 2**26  # bytes


class Line(NamedTuple):
    """What a file holds at a line (from 1): a row, or what is wrong there; neither for an empty line, and one
    that a filter leaves out."""

    number: int
    row: Mapping[str, Any] | None = None
    problem: str = ""
    left_out: bool = False


class NotRows(Exception):
    """The file is not one of rows at all; the message says what it seems to be, `fix` what to do."""

    def __init__(self, sentence: str, fix: str) -> None:
        super().__init__(sentence)
        self.fix = fix
