"""``10 trials``, ``4h``, ``2 device-hours``: when a search has spent what it may."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.errors import UserError

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(trials?|device-hours?|s|min|m|h|d)\b\s*,?\s*")


@dataclass(frozen=True)
class Budget:
    """What a search may spend; 0: as much as it likes.

    Args:
        seconds: of time, however many trials run at once.
        device_seconds: of time of each device.
    """

    trials: int = 0
    seconds: float = 0.0
    device_seconds: float = 0.0

    def over(self, seconds: float, device_seconds: float) -> str:
        """Which of its times is spent, as a sentence; empty if none is."""
        if self.seconds and seconds >= self.seconds:
            return f"the budget of {self.seconds / 3600:.3g} hours is spent"
        if self.device_seconds and device_seconds >= self.device_seconds:
            return f"the budget of {self.device_seconds / 3600:.3g} device-hours is spent"
        return ""


def read_budget(words: Sequence[str]) -> Budget:
    """The budget that is written, several of them together: what is spent first counts.

    Raises:
        UserError: TS-TUNE-004 when it is none.
    """
    if not "".join(words).strip():
        raise UserError(
            "TS-TUNE-004", "--budget is missing", why="A search ends when it is spent.",
            fix="Write for example --budget 10 trials, --budget 4h, --budget 2 device-hours, or several of them.",
        )  # fmt: skip
    text, found, at = " ".join(words).strip(), {"trials": 0.0, "seconds": 0.0, "device": 0.0}, 0
    for part in _PART.finditer(text):
        if part.start() != at:
            break
        number, unit, at = float(part[1]), part[2], part.end()
        kind = "trials" if unit.startswith("trial") else "device" if unit.startswith("device") else "seconds"
        if found[kind] or not number or (kind == "trials" and not number.is_integer()):
            at = -1
            break
        found[kind] = number * (1 if kind == "trials" else 3600 if kind == "device" else _UNITS[unit])
    if at != len(text):
        raise UserError(
            "TS-TUNE-004", f"--budget {text} is no budget" if text else "a search needs a budget",
            why="It is a count of trials, a time, or hours of devices.",
            fix="Write for example --budget 10 trials, --budget 4h, --budget 2 device-hours, or several of them.",
        )  # fmt: skip
    return Budget(int(found["trials"]), found["seconds"], found["device"])
