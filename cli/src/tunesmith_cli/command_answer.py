"""What another command says, asked in this process: for commands that are made of others."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

INTERRUPTED = 130  #: the status of a command that Ctrl-C ended


class CommandAnswer(NamedTuple):
    """
    Args:
        said: what it printed as JSON; None where that is none.
    """

    status: int
    said: Any = None


def ask_command(words: Sequence[str]) -> CommandAnswer:
    """Run a command with ``--json``.

    Raises:
        KeyboardInterrupt: Ctrl-C ended it.
    """
    from tunesmith_cli.main import main

    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = main([*words, "--json"])
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    with contextlib.suppress(ValueError):
        return CommandAnswer(status, json.loads(out.getvalue()))
    return CommandAnswer(status)
