"""What a worker reports, taken down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tunesmith.planning.plan import PlannedStep
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.metric_batches import Points

LIMIT = 32 * 2**20  # letters that the journal takes of one attempt at a step
LONGEST = 2**16  # letters of one line
EVERY = 1.0  # seconds between two times that a task's progress is kept
TASKS = 100  # of an attempt whose progress is kept
USAGE = "process_peak_memory"  #: the series that holds how many bytes a step's process had at most
_POINT = 32  # what a point of a series counts for
_LEVELS = ("debug", "info", "notice", "warning", "error")


class Notifications:
    """Takes down the reports of an attempt at a step, as long as these are not endless.

    Args:
        key: what its series are kept under.
        points: of its series, for plugins that listen.
    """

    def __init__(self, context: RunContext, step: PlannedStep, key: str, points: Points | None = None) -> None:
        self._context, self._step, self._key = context, step, key
        self._points = points
        self._left, self._peak = LIMIT, 0
        self._noted: dict[str, float] = {}  # task -> when its progress was last kept

    def __call__(self, method: str, params: Mapping[str, Any]) -> None:
        """One notification; of kinds that this version does not know, none."""
        context, name = self._context, self._step.name
        if method == "$/progress":
            context.reporter.progress(name, params["what"], params["done"], params["total"], params["unit"])
            self._keep_progress(params["what"][:LONGEST], params["done"], params["total"], params["unit"])
        elif method == "$/log" and self._room_for(message := params["message"][:LONGEST]):
            context.log(name, params["level"] if params["level"] in _LEVELS else "info", message)
        elif method == "$/metric" and self._room_for(params["name"]):
            context.journal.metric(self._key, params["name"], params["at"], params["value"])
            context.reporter.metric(name, params["name"], params["value"], params["at"])
            if self._points:
                self._points.add(params["name"], params["value"], params["at"])
        elif method == "$/usage":  # a series, that it stands with what was made; nobody who watches needs it
            self._peak = max(self._peak, params["peak_memory"])  # of a step elsewhere both sides tell theirs
            context.journal.metric(self._key, USAGE, 0, self._peak)
        elif method == "$/decision" and self._room_for(params["what"] + params["reason"]):
            context.decide(name, params["what"][:LONGEST], params["reason"][:LONGEST])

    def _keep_progress(self, what: str, done: float, total: float | None, unit: str) -> None:
        now = time.monotonic()
        new = what not in self._noted and len(self._noted) < TASKS
        if new or done == total or now - self._noted.get(what, now) >= EVERY:
            self._noted[what] = now
            self._context.journal.progress(self._context.run.id, self._step.name, what, done, total, unit)

    def _room_for(self, text: str) -> bool:
        if self._left < 0:
            return False
        self._left -= len(text) + _POINT
        if self._left < 0:
            self._context.log(self._step.name, "warning", f"`{self._step.name}` reports without end: nothing more of it is kept")
        return self._left >= 0
