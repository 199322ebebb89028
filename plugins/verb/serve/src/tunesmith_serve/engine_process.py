"""An engine's process: started by the orphan reaper, its output passed on to the step's log, its last lines kept."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from tunesmith.contracts.worker_process import MARK
from tunesmith_serve import orphan_reaper

KEPT, WIDTH = 40, 300  # last lines, and letters of each
_LONGEST = 2**16  # bytes of a line whose end is waited for
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class EngineProcess:
    """A program that runs.

    Args:
        term_timeout: seconds between `stop` and the end of whatever is still there.
        sign: regular expression; the first line of the output that it is found in sets `sign_seen`. Empty: no need to wait for one.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], term_timeout: float, sign: str = "") -> None:
        self.sign_seen = threading.Event()
        self.term_timeout = term_timeout
        self._sign = re.compile(sign)
        self._lines: deque[str] = deque(maxlen=KEPT)
        reaped = [sys.executable, "-I", "-S", orphan_reaper.__file__, str(os.getpid()), str(term_timeout), *command]
        inherited = {name: value for name, value in os.environ.items() if name != MARK}  # the reaper sees to the engine's end
        self._process = subprocess.Popen(
            reaped, env={**inherited, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.pid = self._process.pid
        self.started = time.monotonic()
        self._reader = threading.Thread(target=self._read, name="engine-output", daemon=True)
        self._reader.start()
        if not sign:
            self.sign_seen.set()

    @property
    def last_lines(self) -> list[str]:
        """What it said last, the oldest line first."""
        return list(self._lines)

    def ended(self) -> str:
        """How it ended (``ended with status 1``); empty while it runs."""
        status = self._process.poll()
        if status is None:
            return ""
        self._reader.join(1.0)  # what it said at last
        number = -status if status < 0 else status - 128
        with contextlib.suppress(ValueError):
            if number > 0:
                return f"was ended by {signal.Signals(number).name}"
        return f"ended with status {status}"

    def asked_to_end(self, timeout: float) -> bool:
        """Ask it to end, as `stop` does, and see whether it has within `timeout` seconds."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        return self._process.poll() is not None

    def stop(self) -> None:
        """End it and all that it started: SIGTERM, its `term_timeout`, SIGKILL."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self.term_timeout + 2 * orphan_reaper.KILLING)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(1.0)

    def _read(self) -> None:
        """Pass on the output, and remember its lines. The pipe ends when the last process that holds it does."""
        assert self._process.stdout is not None
        rest = b""
        with self._process.stdout as pipe:
            while data := os.read(pipe.fileno(), 65536):
                with contextlib.suppress(OSError):  # a full disk behind the log must not stop the engine
                    os.write(2, data)
                *lines, rest = re.split(rb"[\r\n]+", rest + data)
                if len(rest) > _LONGEST:
                    lines, rest = [*lines, rest], b""
                self._note(lines)
        self._note([rest])

    def _note(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            text = _COLOURS.sub("", line.decode("utf-8", "replace")).strip()
            if text:
                self._lines.append(text[:WIDTH])
                if not self.sign_seen.is_set() and self._sign.search(text):
                    self.sign_seen.set()


def is_there(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether the command's program can be found."""
    return shutil.which(command[0], path={**os.environ, **environment}.get("PATH")) is not None
