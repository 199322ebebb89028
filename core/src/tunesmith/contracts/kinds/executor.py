"""Contract of kind ``executor``: where a worker process starts (this machine, a cluster).

The kernel's own starts them here. Every executor is given the same request, so that a step does not know where it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

#: Variable by which all that a worker started is found when it has ended; who takes it from a program sees to that program's end.
MARK = "TUNESMITH_WORKER"


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


class Process(Protocol):
    """A started worker."""

    def poll(self) -> int | None:
        """Exit status (negative: the signal that ended it), or None while it runs."""

    def stop(self, term_timeout: float) -> None:
        """End it and all that it started: SIGTERM, `term_timeout` seconds, SIGKILL."""


class Executor(Protocol):
    def start(self, launch: Launch) -> Process:
        """Start the worker in a process group of its own that ends when the host does."""
