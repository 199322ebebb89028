"""What a step measures, for plugins that listen: in batches, so that a step that reports often is not held up by them."""

from __future__ import annotations

import time

from tunesmith.contracts.events import MetricPoint
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.run_context import RunContext

EVERY = 1.0  # seconds between two batches


class Points:
    """The points of one attempt at a step. Keeps none where nobody listens to them."""

    def __init__(self, context: RunContext, step: PlannedStep, attempt: int) -> None:
        self._tell = context.events.metrics_reported
        self._facts = context.facts(step, attempt)
        self._wanted = context.events.hears("metrics_reported")
        self._waiting: list[MetricPoint] = []
        self._told = time.monotonic()

    def add(self, name: str, value: float, at: int) -> None:
        if self._wanted:
            self._waiting.append(MetricPoint(name, value, at))

    def tell(self, all_: bool = False) -> None:
        """Hand on what waits: if it is time, or at the end (`all_`)."""
        if self._waiting and (all_ or time.monotonic() - self._told >= EVERY):
            waiting, self._waiting = self._waiting, []
            self._tell(self._facts, tuple(waiting))
            self._told = time.monotonic()
