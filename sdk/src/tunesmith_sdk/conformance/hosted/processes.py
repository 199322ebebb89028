"""Processes of a worker, as Linux tells of them: whom it started, and who of them is still there."""

from __future__ import annotations

import time
from pathlib import Path

from tunesmith_sdk.conformance.bench.worker_process import POLL
from tunesmith_sdk.conformance.checks import NotRun


def family_of(pids: list[int]) -> dict[int, str]:
    """Processes, and all that they started, with the time of their birth: a number may be given to another.

    Raises:
        NotRun: this system does not tell.
    """
    if not Path("/proc/self/stat").exists():
        raise NotRun("this system does not list processes", where="Linux")
    parents = {int(path.name): _stat(int(path.name))[1:2] for path in Path("/proc").iterdir() if path.name.isdigit()}
    found, waiting = {}, list(pids)
    while waiting:
        pid = waiting.pop()
        found[pid] = _born(pid)
        waiting += [child for child, parent in parents.items() if parent == [str(pid)] and child not in found]
    return {pid: born for pid, born in found.items() if born}


def left_of(family: dict[int, str], seconds: float) -> list[int]:
    """Those of a family that are still there after so many seconds: what ends an engine in its worker's place needs a moment for it."""
    deadline = time.monotonic() + seconds
    while left := [pid for pid, born in family.items() if _born(pid) == born]:
        if time.monotonic() > deadline:
            break
        time.sleep(POLL)
    return left


def _stat(pid: int) -> list[str]:
    """State, parent and the rest of what the system says of a process; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _born(pid: int) -> str:
    """When it started; empty if it has ended."""
    said = _stat(pid)
    return said[19] if said and said[0] != "Z" else ""


def command(pid: int) -> str:
    """What it was started as."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:80]
    except OSError:
        return str(pid)
