"""Runs a program and sees to its end: a process between a worker and an engine.

It is called as ``python orphan_reaper.py PARENT SECONDS PROGRAM ARGUMENT...``. Nothing that the program starts is left behind: this
process adopts the orphans among it (on Linux), and kills what there is when the program has ended, when it is told to stop (SIGTERM: the
program gets SECONDS seconds to end by itself) and when its parent has died. It leaves the worker's process group, so that a kill of that
group leaves it to do so; the program stays in the group. Standard library only. Exit status: the program's; 128 and the signal's number
if a signal ended it; 127 if it can't be started.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from typing import Any

TICK = 1.0  # seconds between looks at the parent, where no signal tells of its death
KILLING = 5.0  # seconds for what was killed to be gone
NOT_STARTED = 127
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class OrphanReaper:
    """One program, its parent's process id, and the seconds it gets to end by itself."""

    def __init__(self, parent: int, term_timeout: float) -> None:
        self.parent, self.term_timeout = parent, term_timeout
        self.program = 0
        self.status: int | None = None
        self.deadline: float | None = None
        self.told_to_stop = False

    def run(self, command: list[str]) -> int:
        told, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGCHLD, _noted)
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        self.program = _start(command)
        while self.status is None and os.getppid() == self.parent:
            if self.told_to_stop and self.deadline is None:
                self.deadline = time.monotonic() + self.term_timeout
                os.kill(self.program, signal.SIGTERM)
            wait = TICK if self.deadline is None else min(TICK, self.deadline - time.monotonic())
            if wait <= 0:
                break
            if select.select([told], [], [], wait)[0]:
                os.read(told, 512)
            self._reap()
        self._end_all()
        return _exit_status(self.status)

    def _stop(self, *signalled: Any) -> None:
        self.told_to_stop = True

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid == self.program:
                    self.status = status

    def _end_all(self) -> None:
        """Kill what is left below this process, and what that starts meanwhile, however long the machine takes to let this process look."""
        killed: set[int] = set()
        until = 0.0
        while True:
            self._reap()
            left = below(os.getpid())
            if self.status is None:
                left.add(self.program)
            if left - killed:
                until = time.monotonic() + KILLING
            elif not left or time.monotonic() > until:
                return
            killed |= left
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


def below(pid: int) -> set[int]:
    """The processes that `pid` and theirs have started; none where there is no ``/proc``."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="latin-1") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def _start(command: list[str]) -> int:
    group, reaper = os.getpgrp(), os.getpid()
    with contextlib.suppress(PermissionError):  # it leads a session, as when it is started by hand
        os.setpgid(0, 0)
    child = os.fork()
    if child:
        return child
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        with contextlib.suppress(OSError):  # nobody else is in it any more
            os.setpgid(0, group)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == reaper:
            os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    finally:
        os._exit(NOT_STARTED)


def _exit_status(status: int | None) -> int:
    if status is None:
        return 128 + signal.SIGKILL
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _noted(*signalled: Any) -> None:
    """The byte in the wake-up pipe is what counts."""


if __name__ == "__main__":
    os._exit(OrphanReaper(int(sys.argv[1]), float(sys.argv[2])).run(sys.argv[3:]))
