"""Runs a command, or the one of a group that is named; what the commands of the kernel and those of plugins share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith.errors import UserError
from tunesmith_cli.command import AUTHORS, Command

if TYPE_CHECKING:
    from argparse import Namespace

    from tunesmith_cli.plugin_commands import Catalog


def run_command(command: Command, prog: str, arguments: Sequence[str]) -> int:
    """Parse a command's arguments and run it."""
    from tunesmith_cli.options.parser import make_parser

    found = make_parser(command, prog).parse(arguments)
    use_common(found)
    return command.run(found)


def use_common(found: Namespace) -> None:
    """--home and --offline are $TUNESMITH_HOME and $TUNESMITH_OFFLINE for this one command (`main` puts them back).

    Raises:
        UserError: TS-CLI-002 for a home that is a file.
    """
    if found.home and os.path.lexists(found.home) and not os.path.isdir(found.home):
        raise UserError("TS-CLI-002", f"--home {found.home} is no folder", fix="Name a folder; one that is not there is made.")
    if found.home:
        os.environ["TUNESMITH_HOME"] = str(found.home)
    if getattr(found, "offline", False):
        os.environ["TUNESMITH_OFFLINE"] = "1"


def run_group(summary: str, commands: Sequence[Command], prog: str, arguments: Sequence[str], group: str = "") -> int:
    """Run the subcommand that the first argument names; without one, show them.

    Args:
        group: of the kernel's, to which plugins may add commands.
    """
    word = arguments[0] if arguments else "--help"
    for command in commands:
        if command.name == word:
            return run_command(command, f"{prog} {word}", arguments[1:])
    catalog = load_catalog() if group else None
    added = catalog.added(group) if catalog else {}
    if catalog and word in added:
        return catalog.call(f"{group} {word}", arguments[1:])
    rows = [*((command.name, command.summary) for command in commands), *added.items()]
    if word in ("-h", "--help"):
        from tunesmith_cli.help_overview import group_text

        print(group_text(prog, summary, rows))
        return 0
    from tunesmith_cli.unknown_command import unknown

    authors = AUTHORS if group == "plugin" else ()
    if word in authors:
        fix = "pip install 'tunesmith-sdk[scaffold]'"
        raise UserError(
            "TS-PLUGIN-040", f"`{prog} {word}` is one of an author's tools, and the SDK that brings them is not active", fix=fix
        )
    raise unknown(prog, word, list(dict.fromkeys([*(name for name, _ in rows), *authors])))


def load_catalog() -> Catalog:
    """The commands that the installed plugins bring."""
    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry
    from tunesmith_cli.plugin_commands import Catalog

    return Catalog(load_registry(load_config()))
