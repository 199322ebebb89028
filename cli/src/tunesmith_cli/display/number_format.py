"""Numbers as a person reads them."""

from __future__ import annotations

import math

from tunesmith.units import bytes_text as size

__all__ = ["amount", "duration", "number", "ratio", "size"]

_BYTES = ("B", "b", "byte", "bytes")


def duration(seconds: float) -> str:
    """``0.4 s``, ``52 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def amount(count: float, unit: str) -> str:
    """So much of a unit: ``12.5 MB``, ``120 rows``, ``34``."""
    if unit in _BYTES:
        return size(count)
    return f"{number(count)} {unit}".rstrip()


def ratio(done: float, total: float | None, unit: str) -> str:
    """``120/350 rows``; without a total, what is done."""
    if not total:
        return amount(done, unit)
    if unit in _BYTES:
        return f"{size(done)} of {size(total)}"
    return f"{number(done)}/{number(total)} {unit}".rstrip()


def number(value: float) -> str:
    """Up to five significant digits, whole numbers whole."""
    if not math.isfinite(value):
        return str(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.5g}" if abs(value) < 1e5 else f"{value:.0f}"
