"""What this plugin brings: the command `runs rollouts`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_rollouts import SUMMARY


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("runs rollouts", SUMMARY, "tunesmith_rollouts.command:main")]
