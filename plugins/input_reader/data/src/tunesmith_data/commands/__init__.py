"""`tunesmith data ...`: look into a data file before training on it."""

from __future__ import annotations

import os
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the subcommand that the first argument names. A file without a command before it is looked into."""
    from tunesmith_cli.api import run_group
    from tunesmith_data import SUMMARY
    from tunesmith_data.commands import facts, fetch, fix, inspect, preview
    from tunesmith_data.commands import list as names

    commands = (inspect.COMMAND, fix.COMMAND, facts.COMMAND, preview.COMMAND, fetch.COMMAND, names.COMMAND)
    named = arguments[0] if arguments else "-"
    known = (command.name for command in commands)
    is_file = not named.startswith("-") and named not in known and (not named or bool({".", "/"} & set(named)) or os.path.exists(named))
    return run_group(SUMMARY, commands, "tunesmith data", ["inspect", *arguments] if is_file else arguments, "data")
