"""A lock between processes: two runs that want the same download wait for each other. It ends with its process, however that ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tunesmith.contracts.step import Step


@contextmanager
def file_lock(path: Path, step: Step) -> Iterator[None]:
    """Hold the lock file at `path`; waiting for it can be cancelled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        waiting = False
        while not _try(file):
            if not waiting:
                step.log(f"Waiting for another process that is fetching the same ({path.name}).")
                waiting = True
            step.check_cancelled()
            time.sleep(0.1)
        yield


try:
    import fcntl

    def _try(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
except ImportError:  # Windows
    import msvcrt

    def _try(file: IO[bytes]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
