"""Ctrl-C: the first asks, the second insists."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tunesmith.errors import Cancelled

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Cancellation:
    """Whether a run is to stop. `request` may be called from any thread and from a signal handler."""

    def __init__(self) -> None:
        self.requests = 0

    def request(self, *_: Any) -> None:
        self.requests += 1

    @property
    def requested(self) -> bool:
        return self.requests > 0

    @property
    def insisted(self) -> bool:
        return self.requests > 1

    def check(self) -> None:
        if self.requested:
            raise Cancelled("the run was asked to stop")

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        """Within it, signals that ask a program to end are requests; only the main thread can have them."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup has it so
        before = {number: signal.signal(number, self.request) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
