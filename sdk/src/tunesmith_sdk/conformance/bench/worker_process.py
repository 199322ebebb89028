"""A real worker of the kit, or several ranks, from the host's side: the kernel's own way of starting, hearing and ending them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.errors import TunesmithError
from tunesmith.running.worker.local_starter import LocalStarter
from tunesmith.running.worker.logs import tail
from tunesmith.running.worker.processes import Work, Workers
from tunesmith.running.worker.selector import SocketSelector
from tunesmith_sdk.conformance.bench.worker import AGAIN, ENTERED, STOPPED

POLL = 0.05  # seconds between two looks at the processes


CANCELLED = "TS-RUN-004"
LONGEST = 60.0  # seconds, however busy the machine is


def _waits(pids: list[int]) -> dict[Path, float]:
    """Thread -> seconds for which it was ready and had no processor; nothing where the system does not say."""
    found = {}
    for path in (path for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/schedstat")):
        with contextlib.suppress(OSError, IndexError, ValueError):
            found[path] = int(path.read_text().split()[1]) / 1e9
    return found


class Ending(NamedTuple):
    """How workers that were waited for came to their end.

    Args:
        done: they did.
        seconds: how long that took, or how long they were waited for.
        starved: of these, for how long the machine kept the most hindered of their threads from a processor.
    """

    done: bool
    seconds: float
    starved: float


class Running:
    """Workers under way. `until` lets time pass."""

    def __init__(self, work: Work) -> None:
        self._sockets = SocketSelector()
        self.workers = Workers(work, LocalStarter(), self._sockets, self._told)
        self.ready: Mapping[str, Any] | None = None
        self.entered = self.stopped = False
        self.heard = time.monotonic()  #: when it last reported something
        self.listener: Callable[[str], None] = lambda message: None  #: is given what it logs

    def _told(self, method: str, params: Mapping[str, Any]) -> None:
        self.heard = time.monotonic()
        if method == "$/log":
            self.listener(str(params["message"]))
        elif method == "$/ready":
            self.ready = params
        elif method == "$/progress" and params["what"] == ENTERED:
            self.entered = True
        elif method == "$/progress" and params["what"] == STOPPED:
            self.stopped, self.entered = True, False
        elif method == "$/progress" and params["what"] == AGAIN:
            self.entered = True

    @property
    def done(self) -> bool:
        return self.workers.done

    @property
    def _over(self) -> bool:
        return self.done or self.stopped

    @property
    def pids(self) -> list[int]:
        return [rank.process.pid for rank in self.workers.ranks if rank.process]  # type: ignore[attr-defined]

    def look(self) -> None:
        """Hear what has come, look after the processes; waits a moment at most."""
        self._sockets.pump(POLL)
        self.workers.tick()

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition or the workers' end; whether the condition held in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.done or time.monotonic() > deadline:
                return condition()
            self.look()
        return True

    def ending(self, seconds: float) -> Ending:
        """Wait for the end of the workers, or of what they were asked to stop, until they had `seconds` in which the machine did not keep
        them from a processor."""
        started, pids, gone, starved = time.monotonic(), self.pids, 0.0, 0.0
        before = _waits(pids)
        while not self._over and gone - starved <= seconds and gone <= LONGEST:
            self.look()
            waits = _waits(pids)  # of those that live: what the others waited for is known from the last look
            starved = max(starved, *(waited - before.get(thread, 0.0) for thread, waited in waits.items()), 0.0)
            gone = time.monotonic() - started
        return Ending(self._over, gone, starved)

    def cancel(self) -> None:
        """Ask to stop; nobody is killed for not heeding it."""
        self.workers.cancel(float("inf"))

    def error(self) -> TunesmithError | None:
        """Why the workers failed; None if they did not, or ended because they were asked to."""
        failed = sorted((rank for rank in self.workers.ranks if rank.error), key=lambda rank: (not rank.died, rank.number))
        return next((rank.error for rank in failed if rank.error and rank.error.code != CANCELLED), None)

    def last_words(self, lines: int = 3) -> str:
        return " | ".join(tail(self.workers.ranks[0].stderr, lines))

    def close(self) -> None:
        self.workers.close()
        self._sockets.close()


@contextmanager
def running(work: Work) -> Iterator[Running]:
    """Workers that are started, and ended at the end of the block whatever happens."""
    started = Running(work)
    try:
        started.workers.start()
        yield started
    finally:
        started.close()


def logs_below(folder: Path) -> Path:
    """A new directory for a worker's output."""
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.iterdir()))
    path = folder / f"{number:02d}"
    path.mkdir()
    return path
