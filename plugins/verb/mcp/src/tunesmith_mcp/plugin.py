"""What this plugin brings: the command `mcp`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_mcp import MCP


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("mcp", MCP, "tunesmith_mcp.command:main")]
