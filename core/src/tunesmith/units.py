"""Numbers as a person reads them."""

from __future__ import annotations

import re
from typing import Any

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?", re.IGNORECASE)


def bytes_text(count: float) -> str:
    """Bytes for a person: ``512 B``, ``1.4 GiB``."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1023.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def time_text(seconds: float) -> str:
    """Seconds for a person: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 99.5:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"


def bytes_of(value: Any) -> float:
    """The inverse, as a person writes it: a number of bytes, ``8GiB``, ``500 MB``; 0 for what is none."""
    found = _SIZE.fullmatch(str(value).strip()) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    if found is None:
        return 0.0
    number, unit, binary = found.groups()
    return float(number) * ((1024 if binary else 1000) ** (" kmgt".index(unit.lower())) if unit else 1)
