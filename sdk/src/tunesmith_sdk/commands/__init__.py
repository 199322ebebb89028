"""An author's tools on the command line: `tunesmith plugin new | update | sync | check`."""

from __future__ import annotations

from collections.abc import Sequence


def run_new(arguments: Sequence[str]) -> int:
    from tunesmith_cli.api import run_command
    from tunesmith_sdk.commands.new import NEW

    return run_command(NEW, "tunesmith plugin new", arguments)


def run_update(arguments: Sequence[str]) -> int:
    from tunesmith_cli.api import run_command
    from tunesmith_sdk.commands.new import UPDATE

    return run_command(UPDATE, "tunesmith plugin update", arguments)


def run_sync(arguments: Sequence[str]) -> int:
    from tunesmith_cli.api import run_command
    from tunesmith_sdk.commands.sync import SYNC

    return run_command(SYNC, "tunesmith plugin sync", arguments)


def run_check(arguments: Sequence[str]) -> int:
    from tunesmith_cli.api import run_command
    from tunesmith_sdk.commands.check import CHECK

    return run_command(CHECK, "tunesmith plugin check", arguments)
