"""The server: which tools there are, and over what it is spoken to."""

from __future__ import annotations

import hmac
from pathlib import Path

from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

from tunesmith import __version__
from tunesmith_mcp.allowed_root import AllowedRoot
from tunesmith_mcp.confirmations import Confirmations
from tunesmith_mcp.tools import Tools
from tunesmith_mcp.tunesmith_command import Ask

HOST = "127.0.0.1"
INSTRUCTIONS = (
    "Tunesmith trains, quantizes, evaluates and serves language models by pipelines in YAML files. A usual way: inspect_data, recommend, "
    "write_pipeline, plan; then prepare_run, show its plan with time, memory and disk to the user, and only after their yes run with the "
    "token; watch until it has ended, then show_run. Errors have a code and say what to do. Files are named from the server's folder."
)
_LOOKS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_ASKS_HUBS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
_PREPARES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True)
_RUNS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True)
_STOPS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False)


def make_server(root: Path, home: Path, ask: Ask, confirmations: Confirmations, *, port: int = 0, secret: str = "") -> MCPServer:
    """
    Args:
        root: folder that files may lie in, and that commands are typed in.
        home: where its runs are.
        ask: runs a command there.
        port, secret: over HTTP: where, and what clients have to know.
    """
    spoken = {}
    if secret:
        auth = AuthSettings(issuer_url=f"http://{HOST}:{port}", resource_server_url=None)  # type: ignore[arg-type]
        spoken = {"token_verifier": _Secret(secret), "auth": auth}
    server = MCPServer(
        "tunesmith", title="Tunesmith", version=__version__, instructions=INSTRUCTIONS, log_level="WARNING", **spoken  # type: ignore[arg-type]
    )  # fmt: skip
    tools = Tools(AllowedRoot(root), home, ask, confirmations)
    for tool, hints in (
        (tools.inspect_plugins, _LOOKS), (tools.inspect_provider, _LOOKS), (tools.inspect_machine, _ASKS_HUBS),
        (tools.inspect_data, _LOOKS),
        (tools.recommend, _ASKS_HUBS), (tools.write_pipeline, _WRITES), (tools.plan, _ASKS_HUBS), (tools.prepare_run, _PREPARES),
        (tools.run, _RUNS), (tools.watch, _LOOKS), (tools.cancel, _STOPS), (tools.list_runs, _LOOKS), (tools.show_run, _LOOKS),
    ):  # fmt: skip
        server.add_tool(tool, annotations=hints)
    return server


class _Secret:
    """Clients that know the word may speak."""

    def __init__(self, word: str) -> None:
        self._word = word.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        known = hmac.compare_digest(token.encode(), self._word)
        return AccessToken(token=token, client_id="client", scopes=[]) if known else None
