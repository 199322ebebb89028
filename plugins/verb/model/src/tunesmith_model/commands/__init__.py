"""The command `model`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith_model import SUMMARY


def main(arguments: Sequence[str]) -> int:
    from tunesmith_cli.api import run_group
    from tunesmith_model.commands.info import COMMAND

    return run_group(SUMMARY, (COMMAND,), "tunesmith model", arguments, "model")
