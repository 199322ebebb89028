"""What a run looks like: bars in a terminal, lines elsewhere, JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tunesmith_cli.broken_pipe import Unbroken

if TYPE_CHECKING:
    from tunesmith.running.reporter import Reporter


@contextmanager
def reporting(as_json: bool = False, stream: Any = None) -> Iterator[Reporter]:
    """A reporter for `stream` (default: stdout), closed at the end whatever happens.

    A reader that hangs up fails no run: the rest is said to nobody.
    Bars are drawn in a terminal, unless $CI is set or $TERM is dumb; only then is anything of rich imported.
    """
    stream = Unbroken(stream or sys.stdout)
    reporter: Any
    if as_json:
        from tunesmith_cli.display.json_lines import JsonLines

        reporter = JsonLines(stream)
    elif stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb":
        from tunesmith_cli.display.terminal import Terminal

        reporter = Terminal(stream)
    else:
        from tunesmith_cli.display.plain_lines import Plain

        reporter = Plain(stream)
    try:
        yield reporter
    finally:
        reporter.close()
