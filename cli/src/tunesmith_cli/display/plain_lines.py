"""Lines for logs and pipes: no colours, no cursor, progress now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tunesmith.planning.plan import PlannedStep
from tunesmith.running.outcome import StepOutcome
from tunesmith_cli.display.event_messages import Narrator
from tunesmith_cli.display.time_left import Pace
from tunesmith_cli.translation.catalogs import translated
from tunesmith_cli.untrusted_text import safe

_EVERY = 10.0  # seconds between two lines of one task


class Plain(Narrator):
    def __init__(self, stream: Any, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._stream = stream
        self._paces: dict[tuple[str, str], Pace] = {}
        self._said: dict[tuple[str, str], float] = {}
        self._shown: dict[str, str] = {}  # step -> its series as they were told last

    def say(self, text: str, style: str = "") -> None:
        print(safe(translated(text)), file=self._stream, flush=True)

    def progress(self, step: str, what: str, done: float, total: float | None, unit: str) -> None:
        task, now = (step, what), self.clock()
        pace = self._paces.setdefault(task, Pace(unit))
        pace.update(done, total, now)
        # Nothing of what takes less than that long: its end is told anyway.
        if now - self._said.setdefault(task, now) >= _EVERY:
            self._said[task] = now
            self._shown[step] = series = self.series(step)
            self.say(f"  {step}: " + ", ".join(filter(None, [f"{what} {pace.text}".strip(), series])))

    def metric(self, step: str, name: str, value: float, at: int) -> None:
        """A series is told when it begins: a step may be over before there is a line of progress. Points that an earlier attempt had told
        already are not its beginning."""
        super().metric(step, name, value, at)
        done = max((pace.done for (owner, _), pace in self._paces.items() if owner == step and pace.unit == "steps"), default=0)
        if step not in self._shown and at >= done:
            self._shown[step] = series = self.series(step)
            self.say(f"  {step}: {series} (step {at})")

    def step_finished(self, step: PlannedStep, outcome: StepOutcome) -> None:
        """And when it ends."""
        last = self.series(step.name)
        if last != self._shown.get(step.name, ""):
            self.say(f"  {step.name}: {last} (the last)")
        super().step_finished(step, outcome)
