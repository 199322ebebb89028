"""What this plugin brings: the environment builder `venv`, and the command `env`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_environments import NAME, SUMMARY
from tunesmith_environments.settings import VenvSettings


@hookimpl
def environment_builder() -> Provider:
    return Provider(
        name=NAME,
        summary="virtual environments, made by uv, or by pip where uv can't be had",
        target="tunesmith_environments.builder:Venv",
        settings=VenvSettings,
    )


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("env", SUMMARY, "tunesmith_environments.commands:main")]
