"""What this plugin brings: the command `model`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_model import SUMMARY


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("model", SUMMARY, "tunesmith_model.commands:main")]
