"""What this plugin brings: the command `ask`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_ask import ASK


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("ask", ASK, "tunesmith_ask.command:main")]
