"""What this plugin brings: the commands `gateway` and `serve switch`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_gateway import SUMMARY, SWITCH


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [
        ("gateway", SUMMARY, "tunesmith_gateway.commands:main"),
        ("serve switch", SWITCH, "tunesmith_gateway.commands:serve_switch"),
    ]
