"""The process in which chat templates run, as the rest of the engine sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SECONDS = 10  # that one conversation may take
BYTES = 2**30  # of memory
CHARACTERS = 2**25  # of a conversation's text
_PROGRAM = Path(__file__).with_name("jinja_process.py")
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PYTHONHOME")  # no tokens, no addresses


class Rendering(NamedTuple):
    """What a template made of a conversation.

    Args:
        text: empty where it made nothing.
        marks: (start, stop) in characters of what its ``{% generation %}`` blocks enclose.
        error: what it said when it refused; empty if it did not.
        unbounded: whether it was stopped because it went on, or grew, beyond all measure.
    """

    text: str = ""
    marks: Sequence[tuple[int, int]] = ()
    error: str = ""
    unbounded: bool = False


class Renderer:
    """Starts the process at the first use, and again when a template has ended it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def render(self, template: str, conversations: Sequence[Mapping[str, Any]]) -> list[Rendering]:
        """One rendering for each conversation's variables, in their order."""
        found: list[Rendering] = []
        with self._lock:
            while len(found) < len(conversations):
                try:
                    found += self._ask(template, conversations[len(found) :])
                except _Ended as ended:
                    found += [
                        *ended.before,
                        Rendering(error=f"it takes more than {SECONDS} seconds or more memory than there is", unbounded=True),
                    ]
        return found

    def _ask(self, template: str, conversations: Sequence[Mapping[str, Any]]) -> list[Rendering]:
        process, found = self._running(), []
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"template": template, "conversations": conversations}).encode() + b"\n")
            process.stdin.flush()
            for _ in conversations:
                line = process.stdout.readline()
                if not line.endswith(b"\n"):
                    raise BrokenPipeError
                found.append(_rendering(json.loads(line)))
        except BrokenPipeError:
            self._stop()
            raise _Ended(found) from None
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid():  # a fork has its own
            environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
            self._process = subprocess.Popen(  # it ends with its standard input
                [sys.executable, "-I", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
            self._owner = os.getpid()
            first = {"path": sys.path, "seconds": SECONDS, "bytes": BYTES, "characters": CHARACTERS}
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(first).encode() + b"\n")
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class _Ended(Exception):
    """The process ended in the middle of a conversation, after those in `before`."""

    def __init__(self, before: list[Rendering]) -> None:
        super().__init__()
        self.before = before


def _rendering(answer: Mapping[str, Any]) -> Rendering:
    return Rendering(**{**answer, "marks": [tuple(mark) for mark in answer.get("marks", ())]})
