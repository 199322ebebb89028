"""A worker must not outlive its host: not its process, and not what it started."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from tunesmith.contracts.worker_process import MARK
from tunesmith.isolation import orphans as remains

_PR_SET_PDEATHSIG = 1


def end_with(host: int) -> None:
    """Have this process group end when the process `host` does (0: it is on another machine; then only the socket tells).

    The socket closing is the usual sign (see the worker's reader). On Linux the kernel's signal comes as well, for a worker whose
    threads are busy in native code.
    """
    signal.signal(signal.SIGTERM, lambda signum, frame: _terminated(host))
    if host and sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if host and os.getppid() != host:  # it died before the line above
        end_group()


def _terminated(host: int) -> Any:
    if host and os.getppid() != host:
        end_group()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def end_group() -> None:
    """Kill what this process has started and, if it leads a process group, everything in that; then it ends."""
    remains.end(os.environ.get(MARK, ""))
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
