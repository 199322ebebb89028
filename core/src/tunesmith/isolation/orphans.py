"""What a worker started and left: found by a mark in its environment, which children inherit even when they leave their parents.

Looked for on Linux only; elsewhere a worker's process group is all that is ended. A process that empties its environment as well as leaving
its group escapes: whoever starts such a program sees to its end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

from tunesmith.contracts.worker_process import MARK

_PATIENCE = 5.0  # seconds for what was killed to be gone


def end(mark: str) -> None:
    """Kill every process with this mark but the caller's own, and what they start meanwhile."""
    until = time.monotonic() + _PATIENCE
    while mark and time.monotonic() < until:
        left = [pid for pid in carriers(mark) if pid != os.getpid()]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def carriers(mark: str) -> Iterator[int]:
    """Processes of this user with the mark; those that have ended and only wait to be reaped have none."""
    wanted = f"{MARK}={mark}".encode()
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    yield int(name)
