"""What the wizard does is what commands do: each is shown as it could be typed, then run."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
from collections.abc import Sequence
from typing import Any

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


def said(*words: str) -> Any:
    """What a command says with --json; None where it says nothing that can be read."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        if main([*words, "--json"]) == INTERRUPTED:
            raise KeyboardInterrupt
    with contextlib.suppress(ValueError):
        return json.loads(out.getvalue())
    return None
