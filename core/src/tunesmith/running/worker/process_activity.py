"""What the processes of a session have done, as Linux tells it in /proc (proc(5))."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tunesmith.contracts.worker_process import Activity

_STATE, _SESSION, _TIMES = 0, 3, slice(11, 15)  # of /proc/PID/stat, counted after the name; times with those of children that have ended


def session_activity(leader: int) -> Activity:
    """Of a session's leader and all that is left in its session.

    Raises:
        OSError, ValueError, IndexError: the leader is not there, or /proc is none.
    """
    stopped = _stat(leader)[_STATE] == "T"
    ticks, bytes_ = 0, 0
    for pid in _processes():
        try:
            stat = _stat(pid)
            if int(stat[_SESSION]) == leader:
                ticks += sum(map(int, stat[_TIMES]))
                bytes_ += _disk_bytes(pid)
        except (OSError, ValueError, IndexError):  # it ended between the two looks
            continue
    return Activity(ticks / os.sysconf("SC_CLK_TCK"), bytes_, stopped)


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _disk_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    said = {name: int(value) for name, _, value in (line.partition(":") for line in lines)}
    return said.get("read_bytes", 0) + said.get("write_bytes", 0)
