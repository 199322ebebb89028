"""What is being done, in a line of the terminal that is written over: for commands that answer after seconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AGAIN = "\r\x1b[K"  # to the line's beginning, and empty it


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """Within it, a function that tells what is done next, on standard error; to a file or a pipe nothing is told."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    again = "" if os.environ.get("TERM") == "dumb" else _AGAIN

    def tell(text: str) -> None:
        print(f"{again}{text} ...", end="" if again else "\n", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        print(again, end="", file=sys.stderr, flush=True)
