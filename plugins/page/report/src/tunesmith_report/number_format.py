"""Numbers, sizes and times in HTML: as the terminal says them, with a minus that is one and a dash for what is not known."""

from __future__ import annotations

import math
from html import escape as _escape
from typing import Any

from tunesmith_cli import api as terminal


def text(value: Any) -> str:
    """Anything as text that is safe in HTML; what models and data files say is never trusted."""
    return _escape(str(value), quote=True)


def number(value: float | None) -> str:
    """0.012346, 20.69, −2."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return str(terminal.number(value)).replace("-", "−")


def size(value: float | None) -> str:
    """Bytes: 80.1 MiB."""
    return "" if value is None else str(terminal.size(value))


def seconds(value: float | None) -> str:
    """A duration: 0.4 s, 12 s, 3 min 20 s, 2 h 05 min."""
    return "" if value is None else str(terminal.duration(value))


def change(value: float, base: float) -> str:
    """`value` against `base` in percent: −38 %; empty where that says nothing."""
    if not (math.isfinite(value) and math.isfinite(base)) or base == 0:
        return ""
    percent = 100 * (value - base) / abs(base)
    shown = f"{percent:+.0f}" if abs(percent) >= 9.95 else f"{percent:+.1f}"
    return "±0 %" if float(shown) == 0 else shown.replace("-", "−") + " %"
