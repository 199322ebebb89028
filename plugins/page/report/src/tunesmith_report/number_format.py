"""Numbers, sizes and times as a reader wants them."""

from __future__ import annotations

import math
from html import escape as _escape
from typing import Any

_UNITS = ("B", "kB", "MB", "GB", "TB")


def text(value: Any) -> str:
    """Anything as text that is safe in HTML; what models and data files say is never trusted."""
    return _escape(str(value), quote=True)


def number(value: float | None) -> str:
    """Four significant digits: 0.01235, 20.69, 1.234e+09."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{int(value):,}".replace(",", " ").replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def size(value: float | None) -> str:
    """Bytes in decimal units: 84 MB."""
    if value is None:
        return ""
    amount, unit = float(value), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if amount >= 99.5 or unit == 0 else f"{amount:.3g} {_UNITS[unit]}"


def seconds(value: float | None) -> str:
    """A duration: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if value is None:
        return ""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def change(value: float, base: float) -> str:
    """`value` against `base` in percent: −38 %; empty where that says nothing."""
    if not (math.isfinite(value) and math.isfinite(base)) or base == 0:
        return ""
    percent = 100 * (value - base) / abs(base)
    shown = f"{percent:+.0f}" if abs(percent) >= 9.95 else f"{percent:+.1f}"
    return "±0 %" if float(shown) == 0 else shown.replace("-", "−") + " %"
