"""`tunesmith env ...`: the environments of plugins that can't share this one."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the subcommand that the first argument names."""
    from tunesmith_cli.api import run_group
    from tunesmith_environments import SUMMARY
    from tunesmith_environments.commands.build import BUILD, BUNDLE
    from tunesmith_environments.commands.environments import COMMANDS

    return run_group(SUMMARY, (*COMMANDS, BUILD, BUNDLE), "tunesmith env", arguments)
