"""`tunesmith gateway ...` and `tunesmith serve switch`."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Be a gateway, or one of the commands below it."""
    from tunesmith_cli.api import run_command
    from tunesmith_gateway.commands.gateway import GATEWAY, words_for_serve
    from tunesmith_gateway.commands.key import KEY
    from tunesmith_gateway.commands.routes import CHECK, ROUTES

    for command in (KEY, CHECK, ROUTES):
        if arguments and arguments[0] == command.name:
            return run_command(command, f"tunesmith gateway {command.name}", arguments[1:])
    own, words = words_for_serve(arguments)
    return run_command(GATEWAY(words), "tunesmith gateway", own)


def serve_switch(arguments: Sequence[str]) -> int:
    """Bring a new version of a model up under load."""
    from tunesmith_cli.api import run_command
    from tunesmith_gateway.commands.gateway import words_for_serve
    from tunesmith_gateway.commands.switch import SWITCH

    own, words = words_for_serve(arguments)
    return run_command(SWITCH(words), "tunesmith serve switch", own)
