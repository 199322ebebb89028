"""What this plugin brings: the command `publish`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_publish import SUMMARY


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("publish", SUMMARY, "tunesmith_publish.command:main")]
