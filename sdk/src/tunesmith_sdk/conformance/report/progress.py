"""What an examination is at, on one line of a terminal that is gone at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Tell = Callable[[str], None]
_CLEAR = "\r\x1b[K"


def silent(what: str) -> None:
    """Nobody is told."""


@contextmanager
def line(stream: TextIO) -> Iterator[Tell]:
    """Something to tell, a phrase at a time. Where the stream is no terminal, nobody is told."""
    if not stream.isatty():
        yield silent
        return

    def tell(what: str) -> None:
        stream.write(_CLEAR + what[: shutil.get_terminal_size().columns - 1])
        stream.flush()

    try:
        yield tell
    finally:
        stream.write(_CLEAR)
        stream.flush()


class Building:
    """Of an environment: what the kernel tells of it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None:
        share = f" {done / total:.0%}" if total else ""
        self._tell(f"making its environment: {what}{share}")

    def log(self, message: str) -> None:
        self._tell(f"making its environment: {message}")

    def check(self) -> None: ...
