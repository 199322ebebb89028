"""A terminal: bars that move, and above them a line for each thing that is done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tunesmith.planning.plan import PlannedStep
from tunesmith.running.outcome import RunOutcome, StepOutcome
from tunesmith_cli.display.event_messages import BAD, BOLD, DIM, GOOD, WARN, Narrator
from tunesmith_cli.display.time_left import Pace
from tunesmith_cli.terminal_width import terminal_width
from tunesmith_cli.translation.catalogs import translated
from tunesmith_cli.translation.east_asian import wrap
from tunesmith_cli.untrusted_text import safe

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_BESIDE = 22  # letters that a line needs for the shortest bar, the time, and the spaces between
_ANSI = {DIM: "2", BOLD: "1", GOOD: "32", BAD: "1;31", WARN: "33"}


class Terminal(Narrator):
    """Bars belong to running steps and go with them; a step that has told no progress yet shows how long it has been running.

    rich is imported when the first bar is drawn: a run that finds everything done does not wait for it.
    """

    def __init__(self, stream: Any, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._stream = stream
        self._colors = not os.environ.get("NO_COLOR")
        self._bars: Progress | None = None
        self._tasks: dict[tuple[str, str], tuple[TaskID, Pace]] = {}

    def say(self, text: str, style: str = "") -> None:
        text = "\n".join(line for part in safe(translated(text)).split("\n") for line in _wrapped(part))
        shown = f"\x1b[{_ANSI[style]}m{text}\x1b[0m" if style and self._colors else text
        if self._bars:
            from rich.text import Text

            self._bars.console.print(Text.from_ansi(shown), soft_wrap=True)
        else:
            print(shown, file=self._stream, flush=True)

    def close(self) -> None:
        if self._bars:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()

    def _draw(self) -> Progress:
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._bars = Progress(
                TextColumn("  {task.description}"), BarColumn(bar_width=None), TextColumn("{task.fields[pace]}"),
                TextColumn("{task.fields[series]}"), TimeElapsedColumn(), console=Console(file=self._stream, highlight=False),
                transient=True, refresh_per_second=5, get_time=self.clock, expand=True,
            )  # fmt: skip
            self._bars.start()
        return self._bars

    def _task(self, step: str, what: str, unit: str = "") -> tuple[TaskID, Pace]:
        """The bar of a task; the first one takes the place of the bar that waits for it."""
        if (step, what) not in self._tasks:
            self._remove((step, ""))
            for name, (_, pace) in list(self._tasks.items()):
                if name[0] == step and pace.total and pace.done >= pace.total:
                    self._remove(name)  # a task that is done makes room for the next
            bar = self._draw().add_task(f"{step} {what}".rstrip(), total=None, pace="", series="")
            self._tasks[step, what] = (bar, Pace(unit))
        return self._tasks[step, what]

    def _remove(self, name: tuple[str, str]) -> None:
        if self._bars and name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name)[0])

    def _drop(self, step: str) -> None:
        for name in [name for name in self._tasks if name[0] == step]:
            self._remove(name)

    def environment_ready(self, name: str, key: str, disk: int, seconds: float) -> None:
        self._drop(name)
        super().environment_ready(name, key, disk, seconds)

    def step_started(self, step: PlannedStep, attempt: int) -> None:
        super().step_started(step, attempt)
        self._drop(step.name)
        self._task(step.name, "")

    def progress(self, step: str, what: str, done: float, total: float | None, unit: str) -> None:
        bar, pace = self._task(step, what or " ", unit)  # one without a name is still not the bar that waits
        pace.update(done, total, self.clock())
        bars = self._draw()
        room = bars.console.width - len(f"  {step} {what} ") - _BESIDE
        texts = [
            (pace.text, self.series(step)), (pace.text, self.series(step, brief=True)), (pace.brief, self.series(step, brief=True)),
            (pace.brief, ""),
        ]  # fmt: skip
        shown, series = next((found for found in texts if sum(map(len, found)) <= room), texts[-1])
        bars.update(bar, completed=done, total=total, pace=shown, series=series)

    def step_finished(self, step: PlannedStep, outcome: StepOutcome) -> None:
        self._drop(step.name)
        super().step_finished(step, outcome)

    def service_ready(self, step: PlannedStep, facts: Any, foreground: bool) -> None:
        self._drop(step.name)
        if foreground:
            self.close()
        super().service_ready(step, facts, foreground)

    def run_finished(self, outcome: RunOutcome) -> None:
        self.close()
        super().run_finished(outcome)


def _wrapped(line: str) -> list[str]:
    """A line as wide as the terminal, further ones indented by a little more. What is to be pasted into a shell stays in one piece."""
    if any(f"{command} " in line for command in ("curl", "tunesmith")):
        return [line]
    bare = line.lstrip()
    indent = line[: len(line) - len(bare)]
    return wrap(bare, terminal_width() + 2, indent, indent + "  ")
