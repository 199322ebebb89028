"""A process in which a step runs, as whoever starts it sees it: what it is started with, and what can be asked of it."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

#: Variable by which all that a worker started is found when it has ended; who takes it from a program sees to that program's end.
MARK = "TUNESMITH_WORKER"
#: The signal at which a worker writes its stacks, from when it has called in; 0 on systems without it.
STACKS = int(getattr(signal, "SIGUSR2", 0))


@dataclass(frozen=True)
class Launch:
    """One worker process to start.

    Args:
        command: program and arguments.
        environment: variables to set on top of the host's.
        stdout, stderr: files that take the process's output.
        without: variables of the host's that the worker must not have.
        directory: where it starts, so that what a library leaves in the current directory is not left in the user's; None: here.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path
    without: Sequence[str] = ()
    directory: Path | None = None


@dataclass(frozen=True)
class Activity:
    """What a process has done since its start, with all that it started.

    Args:
        cpu: seconds of processor time.
        io: bytes read from disks and written to them.
        stopped: whether a signal has stopped it (SIGSTOP), so that it does nothing and is not over.
    """

    cpu: float
    io: int = 0
    stopped: bool = False


class Process(Protocol):
    """A started worker."""

    def poll(self) -> int | None:
        """Exit status (negative: the signal that ended it), or None while it runs."""

    def stop(self, term_timeout: float) -> None:
        """End it and all that it started: SIGTERM, `term_timeout` seconds, SIGKILL."""

    def activity(self) -> Activity | None:
        """None where that can't be told."""

    def dump_stacks(self) -> None:
        """Have it write the Python stacks of its threads to its stderr (`STACKS`), going on if it was stopped; nothing where it can't."""


class Starter(Protocol):
    """Who starts workers on a machine."""

    def start(self, launch: Launch) -> Process:
        """Start the worker in a process group of its own that ends when the host does."""
