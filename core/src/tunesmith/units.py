"""Numbers as a person reads them."""

from __future__ import annotations


def bytes_text(count: float) -> str:
    """Bytes for a person: ``512 B``, ``1.4 GiB``."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1023.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
