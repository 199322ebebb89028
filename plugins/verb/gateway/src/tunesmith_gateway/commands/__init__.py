"""`tunesmith gateway ...` and `tunesmith serve switch`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from tunesmith.errors import UserError

_RUNTIME = ("httpx", "prometheus_client", "starlette", "uvicorn")  # of the extra `runtime`


def main(arguments: Sequence[str]) -> int:
    """Be a gateway, or one of the commands below it."""
    from tunesmith_cli.api import run_command, unknown
    from tunesmith_gateway.commands.gateway import GATEWAY, words_for_serve
    from tunesmith_gateway.commands.key import KEY
    from tunesmith_gateway.commands.routes import CHECK, ROUTES

    for command in (KEY, CHECK, ROUTES):
        if arguments and arguments[0] == command.name:
            return run_command(command, f"tunesmith gateway {command.name}", arguments[1:])
    if arguments and not arguments[0].startswith("-"):
        raise unknown("tunesmith gateway", arguments[0], [command.name for command in (KEY, CHECK, ROUTES)])
    _check_runtime(arguments)
    own, words = words_for_serve(arguments)
    return run_command(GATEWAY(words), "tunesmith gateway", own)


def serve_switch(arguments: Sequence[str]) -> int:
    """Bring a new version of a model up under load."""
    from tunesmith_cli.api import run_command
    from tunesmith_gateway.commands.gateway import words_for_serve
    from tunesmith_gateway.commands.switch import SWITCH

    _check_runtime(arguments)
    own, words = words_for_serve(arguments)
    return run_command(SWITCH(words), "tunesmith serve switch", own)


def _check_runtime(arguments: Sequence[str]) -> None:
    absent = [name for name in _RUNTIME if find_spec(name) is None]
    if absent and not {"-h", "--help"} & set(arguments):
        raise UserError(
            "TS-SERVE-043", "what the gateway runs on is not installed", why=f"There is no {' and no '.join(absent)} here.",
            fix="pip install 'tunesmith-gateway[runtime]'",
        )  # fmt: skip
