"""How far a measurement has come: a line that is written over in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from tunesmith_bench.load.record import MEASURED, WARM_UP
from tunesmith_bench.results.point import Point
from tunesmith_bench.results.table import load_text, mark_text, milliseconds, rate
from tunesmith_cli.api import duration, safe, translated
from tunesmith_cli.api import gettext as _

WIDTH, EVERY = 24, 0.2  # characters of a bar; seconds between two drawings


class Progress:
    """Told on stderr: stdout belongs to the results."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._drawn, self._began, self._at = 0.0, time.monotonic(), ("", 0, "")

    def phase(self, point: str, run: int, phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        if (point, run, phase) != self._at:
            self._at, self._began = (point, run, phase), now
            if not self._live:
                self._stream.write(self._head(point, run, phase) + "\n")
                self._stream.flush()
        if self._live and (now - self._drawn >= EVERY or done == total):
            self._drawn = now
            self._stream.write(f"\r\x1b[K{self._head(point, run, phase)} {self._bar(done, total, now)}")
            self._stream.flush()

    def _head(self, point: str, run: int, phase: str) -> str:
        phases = {WARM_UP: _("warm-up"), MEASURED: _("measured")}
        return _("{point}, run {run}: {phase}", point=translated(point), run=run, phase=phases.get(phase, phase))

    def _bar(self, done: int, total: int, now: float) -> str:
        if not total:
            return _("{done} answers", done=done)
        filled = WIDTH * done // total
        left = (now - self._began) / done * (total - done) if done else 0.0
        return f"{'█' * filled}{'░' * (WIDTH - filled)} {done}/{total}, {_('{time} left', time=duration(left))}"

    def point(self, point: Point) -> None:
        self.clear()
        figures = point.figures
        tokens = rate(figures["output_tokens_per_second"], len(point.runs))
        first, between = (milliseconds(figures[name]["p50"]) for name in ("ttft", "itl"))
        line = f"{load_text(point)}: {tokens} {_('tokens/s')}, ttft p50 {first}, itl p50 {between}"
        doubts = "".join(f" [{mark_text(mark)}]" for mark in point.marks)
        self._stream.write(safe(f"{line}{doubts}") + "\n")
        self._stream.flush()

    def clear(self) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
