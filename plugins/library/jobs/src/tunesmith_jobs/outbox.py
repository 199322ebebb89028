"""What an agent has to tell and its host has not yet confirmed: kept through every loss of the connection."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

MOST = 50_000  # reports that are kept; beyond, the oldest that may be lost go first

Event = tuple[int, str, Mapping[str, Any]]
_LAST_ONLY = "$/progress"  # of which only the newest of a task says anything
_NEEDED = ("result", "error", "$/ready", "$/decision")


class Outbox:
    """Numbered events, in order. Filled by one thread and emptied by another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._number = 0
        self._lost = 0

    def put(self, method: str, params: Mapping[str, Any]) -> None:
        with self._lock:
            last = self._events[-1] if self._events else None
            self._number += 1
            if last and method == last[1] == _LAST_ONLY and params.get("what") == last[2].get("what"):
                self._events.pop()
            self._events.append((self._number, method, params))
            if len(self._events) > MOST:
                self._shorten()

    def after(self, number: int) -> list[Event]:
        """Those of a higher number."""
        with self._lock:
            return [event for event in self._events if event[0] > number]

    def confirmed(self, number: int) -> None:
        """The host has all up to this one."""
        with self._lock:
            while self._events and self._events[0][0] <= number:
                self._events.popleft()

    @property
    def empty(self) -> bool:
        with self._lock:
            return not self._events

    def _shorten(self) -> None:
        spare = [event for event in self._events if event[1] not in _NEEDED][: MOST // 2]
        gone = {number for number, *_ in spare}
        self._lost += len(gone)
        self._events = deque(event for event in self._events if event[0] not in gone)
        told = {"level": "warning", "message": f"{self._lost} reports were dropped while nobody heard them"}
        self._number += 1
        self._events.append((self._number, "$/log", told))
