"""Lines for logs and pipes: no colours, no cursor, progress now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tunesmith.cli.reporting.narration import Narrator
from tunesmith.cli.reporting.pace import Pace

_EVERY = 10.0  # seconds between two lines of one task


class Plain(Narrator):
    def __init__(self, stream: Any, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._stream = stream
        self._paces: dict[tuple[str, str], Pace] = {}
        self._said: dict[tuple[str, str], float] = {}

    def say(self, text: str, style: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def progress(self, step: str, what: str, done: float, total: float | None, unit: str) -> None:
        task, now = (step, what), self.clock()
        pace = self._paces.setdefault(task, Pace(unit))
        pace.update(done, total, now)
        # Nothing of what takes less than that long: its end is told anyway.
        if now - self._said.setdefault(task, now) >= _EVERY:
            self._said[task] = now
            self.say(f"  {step}: " + ", ".join(filter(None, [f"{what} {pace.text}".strip(), self.series(step)])))
