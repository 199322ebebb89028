"""What the wizard does is what commands do: each is shown as it could be typed, then run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tunesmith_cli.api import main
from tunesmith_wizard.interview import Interview

INTERRUPTED = 130


def line(words: Sequence[str]) -> str:
    """As it is typed."""
    return shlex.join(["tunesmith", *words])


def run(interview: Interview, *words: str) -> int:
    """Show a command, run it, and give its exit status."""
    interview.front.print()
    interview.front.print(f"$ {line(words)}", "bold")
    return main(words)
