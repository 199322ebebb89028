"""What this plugin brings: the command `compare`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_compare import SUMMARY


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("compare", SUMMARY, "tunesmith_compare.command:main")]
