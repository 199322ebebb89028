"""The Python stacks of workers, as they write them to their stderr when they are asked (`Process.dump_stacks`)."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from tunesmith.running.worker.rank import Rank

_WAIT = 2.0  # seconds for all to write theirs, on a busy machine
_SETTLED = 0.1  # seconds in which a file that has grown grows no more
_LONGEST = 2**15  # bytes of one worker's stacks
_THREAD = re.compile(r"^(?:Current thread|Thread) 0x.*\n", re.MULTILINE)
_FRAME = re.compile(r'^\s*File "(.*)", line (\d+) in (.*)$')
_SHOWN = 3  # frames of a summary


def dumped(ranks: Sequence[Rank]) -> dict[int, str]:
    """What each rank wrote, by its number; empty for one that wrote nothing in time."""
    before = {rank.number: _size(rank.stderr) for rank in ranks}
    for rank in ranks:
        if rank.process is not None and rank.connection is not None:  # before that it does not heed the signal
            rank.process.dump_stacks()
    until, sizes, steady = time.monotonic() + _WAIT, dict(before), time.monotonic()
    while time.monotonic() < until:
        now = {rank.number: _size(rank.stderr) for rank in ranks}
        if now != sizes:
            sizes, steady = now, time.monotonic()
        elif all(now[number] > size for number, size in before.items()) and time.monotonic() - steady > _SETTLED:
            break
        time.sleep(0.02)
    return {rank.number: _since(rank.stderr, before[rank.number]) for rank in ranks}


def innermost(stacks: str) -> str:
    """The innermost frames of the main thread: ``wait (work.py:12) < step (loop.py:80)``.

    Any thread may have taken the signal; the main one is the oldest, and the oldest is written last.
    """
    frames: list[str] = []
    for line in _THREAD.split(stacks)[-1].splitlines():
        found = _FRAME.match(line)
        if found is None or len(frames) == _SHOWN:
            break
        file, number, function = found.groups()
        frames.append(f"{function} ({Path(file).name}:{number})")
    return " < ".join(frames)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _since(path: Path, start: int) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(_LONGEST).decode("utf-8", "replace").strip()
    except OSError:
        return ""
