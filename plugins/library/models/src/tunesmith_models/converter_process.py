"""Another project's converter as a process: a command line is what it keeps stable from version to version."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.contracts import TunesmithError

POLL = 0.2  # seconds between looks at the process
_PARENT_DIES = 1  # PR_SET_PDEATHSIG of prctl(2)
_SAID = re.compile(r"^(?:(?:\w+Error|\w+Exception): |ERROR:[\w.-]+:)(.*\w.*)$", re.MULTILINE)


def run_converter(words: Sequence[str], log: Path, look: Callable[[], None], *, whose: str, fix: str) -> None:
    """Run it to its end, without a hub. On Linux it does not outlive this process, even one that is killed.

    Args:
        log: file for what it says.
        whose: name of the project, for the error.
        fix: what a model has to be.
        look: called every `POLL` seconds; what it raises ends the converter.

    Raises:
        TunesmithError: TS-MODEL-010 with its own words when it gives up.
    """
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, preexec_fn=die_with_parent()
        )
        try:
            while process.poll() is None:
                look()
                try:
                    process.wait(POLL)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        raise TunesmithError(
            "TS-MODEL-010", f"{whose}'s converter can't convert this model.", why=complaint(log, process.returncode), fix=fix
        )  # fmt: skip


def die_with_parent() -> Callable[[], None] | None:
    """A child's `preexec_fn`: it is killed when this process ends, however it does. None where the system has no such thing."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PARENT_DIES, signal.SIGKILL)
        if os.getppid() != parent:  # it died before that
            os._exit(1)

    return ask


def complaint(log: Path, status: int) -> str:
    """What it said last that reads like a reason."""
    text = log.read_text("utf-8", "replace")
    reasons = _SAID.findall(text)
    if reasons:
        return reasons[-1].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    how = f"it was ended by signal {-status}" if status < 0 else f"it ended with status {status}"
    return f"{how}; its last line: {lines[-1]}" if lines else how
