"""The terminal's own streams, whose reader may hang up: ``tunesmith run | head``."""

from __future__ import annotations

import os
from typing import Any


def mute(stream: Any) -> None:
    """From here on a stream, with what it still buffers, goes nowhere; its flush at the interpreter's exit, too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Unbroken:
    """A stream that falls silent when whoever read has gone, for what is worth finishing unseen: a run."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return int(self._stream.write(text))
        except BrokenPipeError:
            mute(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            mute(self._stream)
