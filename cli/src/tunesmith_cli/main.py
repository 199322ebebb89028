"""The `tunesmith` command. It decides what is meant from the first word, and imports only the module of that command."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith.errors import Cancelled, TunesmithError, UserError
from tunesmith_cli.command import ENTRIES, SPOKEN, Command
from tunesmith_cli.streams import mute

if TYPE_CHECKING:
    from argparse import Namespace

    from tunesmith_cli.catalog import Catalog

_OF_ONE_COMMAND = ("TUNESMITH_HOME", "TUNESMITH_OFFLINE")
INTERRUPTED, BROKEN_PIPE = 130, 141  # as a shell says of programs ended by SIGINT and SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and give its exit status: 0 done, 1 failed, 2 the user's mistake, 130 stopped by Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    kept = {name: os.environ.get(name) for name in _OF_ONE_COMMAND}
    try:
        status = _status(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read has gone
        mute(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:  # stdout is a file on a disk that is full
        from tunesmith.isolation.failures import disk_error
        from tunesmith_cli.errors import complain

        mute(sys.stdout)
        return complain(disk_error(error))
    finally:
        for name, value in kept.items():
            if value is not None:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)


def _status(arguments: list[str]) -> int:
    try:
        return dispatch(arguments)
    except (KeyboardInterrupt, Cancelled):
        return INTERRUPTED
    except TunesmithError as error:
        from tunesmith_cli.errors import complain

        return complain(error, "--json" in arguments)
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT):
            raise
        return _defect(error, arguments)
    except SystemExit as exit:  # argparse after its help
        return exit.code if isinstance(exit.code, int) else 0
    except Exception as error:
        return _defect(error, arguments)


def _defect(error: Exception, arguments: list[str]) -> int:
    from tunesmith_cli.errors import complain, internal_error

    return complain(internal_error(error, arguments, "--debug" in arguments), "--json" in arguments)


def dispatch(arguments: Sequence[str]) -> int:
    """Find the command that `arguments` name and run it.

    Raises:
        UserError: TS-CLI-001 when there is no such command.
    """
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        word, _, value = rest.pop(0).partition("=")
        if word == "--version":
            from tunesmith import __version__

            print(f"tunesmith {__version__}")
            return 0
        if word == "--home":
            if not value and not rest:
                raise UserError("TS-CLI-002", "--home names no directory", fix="Write `--home DIR` before the command.")
            os.environ["TUNESMITH_HOME"] = value or rest.pop(0)
        elif word in ("-h", "--help"):
            rest = []
        elif word != "--debug":
            raise UserError(
                "TS-CLI-002",
                f"there is no option `{word}`",
                fix="Options go after the command: `tunesmith COMMAND --help`; before it stand --home, --debug, --version and --help.",
            )
    if not rest:
        return _overview()
    name, *rest = rest if rest[0] != "help" else [*rest[1:], "--help"]
    if name == "--help":
        return _overview()
    for entry in ENTRIES:
        if entry.name == name:
            import importlib

            module = importlib.import_module(entry.module)
            if hasattr(module, "run_words"):
                return int(module.run_words(rest))
            if hasattr(module, "COMMAND"):
                return run_command(module.COMMAND, f"tunesmith {name}", rest)
            return run_group(entry.summary, module.COMMANDS, f"tunesmith {name}", rest, entry.name)
    return _dynamic(name, rest)


def run_command(command: Command, prog: str, arguments: Sequence[str]) -> int:
    """Parse a command's arguments and run it."""
    from tunesmith_cli.options.parser import make_parser

    found = make_parser(command, prog).parse(arguments)
    use_common(found)
    return command.run(found)


def use_common(found: Namespace) -> None:
    """--home and --offline are $TUNESMITH_HOME and $TUNESMITH_OFFLINE for this one command (`main` puts them back)."""
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
    catalog = _catalog() if group else None
    added = catalog.added(group) if catalog else {}
    if catalog and word in added:
        return catalog.call(f"{group} {word}", arguments[1:])
    rows = [*((command.name, command.summary) for command in commands), *added.items()]
    if word in ("-h", "--help"):
        from tunesmith_cli.overview import group_text

        print(group_text(prog, summary, rows))
        return 0
    from tunesmith_cli.commands.plugin import AUTHORS
    from tunesmith_cli.unknown_command import unknown

    authors = AUTHORS if group == "plugin" else ()
    if word in authors:
        fix = "pip install 'tunesmith-sdk[scaffold]'"
        raise UserError(
            "TS-PLUGIN-040", f"`{prog} {word}` is one of an author's tools, and the SDK that brings them is not active", fix=fix
        )
    raise unknown(prog, word, list(dict.fromkeys([*(name for name, _ in rows), *authors])))


def _dynamic(name: str, arguments: Sequence[str]) -> int:
    """Commands that the installed plugins bring."""
    catalog, name = _catalog(), SPOKEN.get(name, name)
    if name in catalog.commands:
        return catalog.call(name, arguments)
    if name in catalog.verbs:
        from tunesmith_cli.verb.command import run_verb

        return run_verb(catalog, name, arguments)
    from tunesmith_cli.unknown_command import unknown_command

    catalog.explain(name)
    raise unknown_command(catalog, name)


def _overview() -> int:
    from tunesmith_cli.overview import overview_text

    print(overview_text(_catalog()))
    return 0


def _catalog() -> Catalog:
    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry
    from tunesmith_cli.catalog import Catalog

    return Catalog(load_registry(load_config()))


if __name__ == "__main__":
    sys.exit(main())
