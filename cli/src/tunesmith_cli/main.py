"""The `tunesmith` command. It decides what is meant from the first word, and imports only the module of that command."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith.errors import Cancelled, TunesmithError, UserError
from tunesmith_cli.broken_pipe import mute
from tunesmith_cli.command import ALONE, ENTRIES, SPOKEN
from tunesmith_cli.dispatch import load_catalog, run_command, run_group

if TYPE_CHECKING:
    pass

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
        from tunesmith.isolation.error_conversion import disk_error
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
            return _overview()
        elif word != "--debug":
            raise UserError(
                "TS-CLI-002",
                f"there is no option `{word}`",
                fix="Options go after the command: `tunesmith COMMAND --help`; before it stand --home, --debug, --version and --help.",
            )
    if not rest:
        return _alone()
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


def _dynamic(name: str, arguments: Sequence[str]) -> int:
    """Commands that the installed plugins bring."""
    catalog, name = load_catalog(), SPOKEN.get(name, name)
    if arguments and arguments[0] in catalog.added(name):
        return catalog.call(f"{name} {arguments[0]}", arguments[1:])
    if name in catalog.commands:
        return catalog.call(name, arguments)
    if name in catalog.verbs:
        from tunesmith_cli.unknown_command import check_first_word
        from tunesmith_cli.verb.command import run_verb

        check_first_word(catalog, name, arguments)
        return run_verb(catalog, name, arguments)
    from tunesmith_cli.unknown_command import unknown_command

    catalog.explain(name)
    raise unknown_command(catalog, name)


def _alone() -> int:
    """No command: what a plugin brings for that begins where somebody sits at a terminal, elsewhere there is the overview."""
    if sys.stdin and sys.stdin.isatty() and sys.stdout.isatty():
        catalog = load_catalog()
        if ALONE in catalog.commands:
            return catalog.call(ALONE, ())
    return _overview()


def _overview() -> int:
    from tunesmith_cli.help_overview import overview_text

    print(overview_text(load_catalog()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
