"""What this plugin brings: the command `probe`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_recommend import PROBE


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("probe", PROBE, "tunesmith_recommend.commands:probe")]
