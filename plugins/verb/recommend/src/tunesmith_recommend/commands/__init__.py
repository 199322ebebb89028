"""The commands of this plugin."""

from __future__ import annotations

from collections.abc import Sequence


def probe(arguments: Sequence[str]) -> int:
    from tunesmith_cli.api import run_command
    from tunesmith_recommend.commands.probe import COMMAND

    return run_command(COMMAND, "tunesmith probe", arguments)
