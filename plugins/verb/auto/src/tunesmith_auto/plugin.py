"""What this plugin brings: the command `auto`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_auto import AUTO


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("auto", AUTO, "tunesmith_auto.command:main")]
