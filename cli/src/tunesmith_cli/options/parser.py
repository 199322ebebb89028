"""argparse with this project's manners: mistakes are coded errors with a suggestion, help is wide and ends with examples."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tunesmith.errors import UserError
from tunesmith.spelling import near
from tunesmith_cli.command import Command
from tunesmith_cli.terminal_width import terminal_width
from tunesmith_cli.translation.catalogs import gettext, translated
from tunesmith_cli.translation.east_asian import wrap

_ABSENT = "the following arguments are required: "  # as argparse says it
SETTING = "setting:"  # how the destinations of options begin that are made from a schema


def dashed(name: str) -> str:
    """A name as it stands in an option."""
    return name.replace("_", "-")


class Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=terminal_width())

    def start_section(self, heading: str | None) -> None:
        super().start_section(translated(heading) if heading else heading)

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, gettext("usage: {command}", command="") if prefix is None else prefix)

    def _expand_help(self, action: argparse.Action) -> str:
        return translated(super()._expand_help(action))

    def _split_lines(self, text: str, width: int) -> list[str]:
        return super()._split_lines(text, width) if text.isascii() else wrap(" ".join(text.split()), width)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        flags = list(action.option_strings)
        if not flags:
            return super()._format_action_invocation(action)
        if action.dest.startswith(SETTING):
            flags = flags[:1]  # a setting's full name goes without saying
        if action.nargs == 0:
            switch = action.dest.startswith(SETTING)
            return f"--[no-]{flags[0][2:]}" if switch else ", ".join(flags)
        # `-m, --message TEXT` rather than `-m TEXT, --message TEXT`
        return ", ".join(flags) + " " + self._format_args(action, self._get_default_metavar_for_optional(action))


class Parser(argparse.ArgumentParser):
    """A command's parser. Options are never abbreviated, so that a new option can't change what an old script means."""

    def __init__(self, prog: str, summary: str, examples: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(
            prog=prog, description=_sentence(translated(summary)), epilog=example_text(examples),
            formatter_class=Formatter, allow_abbrev=False, add_help=False,
        )  # fmt: skip
        self._positionals.title, self._optionals.title = "arguments", "options"
        for name in (None, "store"):
            self.register("action", name, _Once)
        self.unchosen: dict[str, Mapping[str, Sequence[str]]] = {}  #: slot that is left open -> setting -> whose it is
        self.elsewhere: Mapping[str, str] = {}  #: options of another command -> what to write instead
        self.leading: tuple[str, ...] = ()  #: words that may stand right after the command, and only there
        self.further: Mapping[str, str] = {}  #: commands below this one, each with its summary

    def add_common(self) -> None:
        """The options of every command."""
        common = self.add_argument_group("common options")
        common.add_argument("--home", type=Path, metavar="DIR", help="where artifacts and runs are kept (default: the nearest .tunesmith)")
        common.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
        common.add_argument("-h", "--help", action="help", help="show this help")

    def format_help(self) -> str:
        below = "".join(f"  {self.prog} {word}: {translated(summary)}\n" for word, summary in self.further.items())
        head = gettext("below it, with a --help of their own:")
        return super().format_help() + (f"\n{head}\n{below}" if below else "")

    def error(self, message: str) -> NoReturn:
        absent = message.removeprefix(_ABSENT)
        if absent != message:
            raise UserError(
                "TS-CLI-002", f"{self.prog} needs {absent.replace(', ', ' and ')}", fix=f"`{self.prog} --help` shows an example."
            )
        message = message.removeprefix("argument ")
        raise UserError("TS-CLI-002", f"{self.prog}: {message}", fix=f"`{self.prog} --help` shows what it takes.")

    def _get_value(self, action: argparse.Action, text: str) -> Any:
        """An empty word is no path: the one of the directory that one is in is `.`."""
        if action.type is Path and not text:
            raise argparse.ArgumentError(action, "is empty; it should be a path")
        return super()._get_value(action, text)  # type: ignore[misc]

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The parsed arguments.

        Raises:
            UserError: TS-CLI-002 for the first that does not fit.
        """
        found, extra = self.parse_known_args(normal_options(arguments))
        for word in extra:
            if word.startswith("-") and word != "-":
                raise self.unknown_option(word.partition("=")[0])
        if extra:
            fix = f"`{self.prog} --help` shows what it takes."
            if extra[0] in self.leading:
                fix = f"Write it right after the command: `{self.prog} {extra[0]} ...`."
            raise UserError("TS-CLI-002", f"{self.prog}: unexpected `{extra[0]}`", fix=fix)
        return found

    def unknown_option(self, word: str) -> UserError:
        known = {o: action for o, action in self._option_string_actions.items() if o.startswith("--") and o != "--help"}
        # a setting's short name rather than its full one
        meant = dict.fromkeys(o if o.startswith("--no-") else known[o].option_strings[0] for o in near(word, known))
        offer = "Did you mean " + " or ".join(f"`{option}`" for option in meant) + "?"
        fix = offer if meant else f"`{self.prog} --help` shows all options."
        fix = self.elsewhere.get(word, fix)
        slot, _, setting = word.removeprefix("--").partition(".")
        if owners := self.unchosen.get(slot, {}).get(dashed(setting)):
            fix = f"Name the one whose setting it is, too: {' or '.join(f'`--{slot} {owner}`' for owner in owners)}."
        return UserError("TS-CLI-002", f"{self.prog}: there is no option `{word}`", fix=fix)


class _Once(argparse._StoreAction):
    """An option's value. Of two nobody could say which counts; where several words may stand, more of them are added."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None) -> None:
        given = namespace.__dict__.setdefault("given", set())
        if option_string and self.dest in given:
            before = getattr(namespace, self.dest)
            if self.nargs is None:
                parser.error(f"{option_string} takes one value and was given {before} and {values}")
            values = [*before, *values]
        given.add(self.dest)
        super().__call__(parser, namespace, values, option_string)


def make_parser(command: Command, prog: str) -> Parser:
    """The parser of a command with its own and the common options."""
    parser = Parser(prog, command.summary, getattr(command, "examples", ()))
    command.configure(parser)
    parser.add_common()
    parser.usage = usage_of(parser)
    return parser


def usage_of(parser: argparse.ArgumentParser) -> str:
    """The usage line: what has a place, and that there are options; these are listed right below."""
    words = [str(parser.prog)]
    for action in parser._get_positional_actions():
        name = str(action.metavar or action.dest)
        words.append({"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} [{name} ...]"}.get(str(action.nargs), name))
    return " ".join([*words, "[options]"])


def normal_options(arguments: Sequence[str]) -> list[str]:
    """Options in their one spelling: dashes in the name, as in ``--learning-rate``; underscores are as good."""
    found = []
    for index, word in enumerate(arguments):
        if word == "--":
            return found + list(arguments[index:])
        name, equals, value = word.partition("=")
        found.append(name.replace("_", "-") + equals + value if name.startswith("--") else word)
    return found


def example_text(examples: Sequence[tuple[str, str]]) -> str | None:
    lines = [f"  # {translated(purpose)}\n  {typed}" for purpose, typed in examples]
    return gettext("examples:") + "\n" + "\n".join(lines) if lines else None


def _sentence(summary: str) -> str:
    """With a capital letter and a full stop."""
    return summary[:1].upper() + summary[1:] + ("" if summary.endswith(("?", "？")) else gettext("."))
