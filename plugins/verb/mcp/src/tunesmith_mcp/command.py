"""`tunesmith mcp`: the same commands for an assistant, as tools of the Model Context Protocol."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from tunesmith.errors import UserError
from tunesmith_cli.api import Command, run_command
from tunesmith_mcp import MCP

SECRET = "TUNESMITH_MCP_TOKEN"
_SHORTEST = 16  # characters of a secret


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="folder that files may lie in (default: the current one)")
    parser.add_argument(
        "--confirm-within", type=float, default=600.0, metavar="SECONDS", help="that a confirmation of a run counts (default: 600)"
    )
    parser.add_argument(
        "--http",
        type=int,
        default=0,
        metavar="PORT",
        help=f"speak streamable HTTP on this machine alone, to who has ${SECRET}; default: stdio",
    )


def run(args: Namespace) -> int:
    root = args.root.absolute()
    if not root.is_dir():
        raise UserError("TS-CLI-002", f"--root {args.root} is no folder", fix="Name one that is there.")
    if not args.confirm_within > 0:
        raise UserError("TS-CLI-002", "--confirm-within needs more than 0 seconds", fix="Write for example --confirm-within 600.")
    secret = os.environ.get(SECRET, "") if args.http else ""
    if args.http and len(secret) < _SHORTEST:
        raise UserError(
            "TS-MCP-009", f"${SECRET} has to hold at least {_SHORTEST} characters", why="Over HTTP, whoever has it may start runs here.",
            fix=f'export {SECRET}="$(python3 -c \'import secrets; print(secrets.token_urlsafe())\')"',
        )  # fmt: skip
    try:
        import mcp.server  # noqa: F401  asked for here, so that its absence has a code
    except ImportError as error:
        raise UserError(
            "TS-MCP-001", "the MCP SDK is not installed", why=str(error), fix="pip install 'tunesmith-mcp[runtime]'"
        ) from error  # fmt: skip
    return _serve(root, args, secret)


def _serve(root: Path, args: Namespace, secret: str) -> int:
    from tunesmith.config import find_home
    from tunesmith_mcp.confirmations import Confirmations
    from tunesmith_mcp.server import HOST, make_server
    from tunesmith_mcp.tunesmith_command import asker

    if args.http:
        _check_port(args.http)
    server = make_server(root, find_home(root), asker(root), Confirmations(args.confirm_within), port=args.http, secret=secret)
    if args.http:
        print(f"http://{HOST}:{args.http}/mcp, for {root}; Authorization: Bearer ${SECRET}", file=sys.stderr)
        server.run("streamable-http", host=HOST, port=args.http)
    else:
        server.run("stdio")
    return 0


def _check_port(port: int) -> None:
    """
    Raises:
        UserError: TS-MCP-010 when it can't be listened on.
    """
    import socket

    from tunesmith_mcp.server import HOST

    try:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((HOST, port))
    except (OSError, OverflowError) as error:
        raise UserError("TS-MCP-010", f"port {port} can't be listened on", why=str(error), fix="Name another one: --http PORT.") from None


COMMAND = Command(
    "mcp", MCP, configure, run,
    (
        ("for an assistant that starts its servers itself", "tunesmith mcp --root ~/models"),
        ("for one that speaks HTTP on this machine", f"{SECRET}=... tunesmith mcp --http 8765"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith mcp", arguments)
