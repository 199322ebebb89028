"""Who asks: menus in a terminal that can draw them, numbered lines in one that can't."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunesmith_wizard.front.contract import Front


def front(plain: bool) -> Front:
    """
    Args:
        plain: numbered lines in any terminal.
    """
    if plain or os.environ.get("TERM", "dumb") in ("dumb", "unknown") or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from tunesmith_wizard.front.numbered_lines import NumberedLines

        return NumberedLines()
    from tunesmith_wizard.front.menus import Menus

    return Menus()
