"""How wide a page may be."""

from __future__ import annotations

import os
import sys


def terminal_width() -> int:
    """Columns to fill: the terminal's, within reason."""
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.__stdout__.fileno()).columns)  # type: ignore[union-attr]
    except (OSError, ValueError, AttributeError):
        columns = 100
    return max(60, min(columns, 120)) - 2
