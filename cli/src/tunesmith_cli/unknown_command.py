"""What a word was meant to be that is no command."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tunesmith.errors import UserError
from tunesmith.spelling import near
from tunesmith_cli.command import ALONE, AUTHORS, ENTRIES

if TYPE_CHECKING:
    from tunesmith_cli.plugin_commands import Catalog


def unknown_command(catalog: Catalog, word: str) -> UserError:
    """The error of a first word that is no command: it may be a provider's name, or a command of a group."""
    ways = list(_chosen_by(catalog, word))
    if ways:
        return UserError("TS-CLI-001", f"`{word}` is {ways[0][0]}, not a command", fix=" or ".join(way for _, way in ways[:2]))
    commands = {
        name: f"tunesmith {name}" for name in (*(entry.name for entry in ENTRIES), *catalog.verbs, *catalog.commands) if name != ALONE
    }
    inner: dict[str, list[str]] = {}
    for group, name in _inner():
        inner.setdefault(name, []).append(f"tunesmith {group} {name}")
    found = [commands[name] for name in near(word, commands)]
    if not found or word in inner:
        found += [line for name in near(word, inner) for line in inner[name]]
    return _unknown(word, found, "tunesmith --help")


def unknown(prog: str, word: str, known: Sequence[str]) -> UserError:
    """The error of a word that is no command of a group."""
    return _unknown(f"{prog.removeprefix('tunesmith ')} {word}", [f"{prog} {name}" for name in near(word, known)], f"{prog} --help")


def check_first_word(catalog: Catalog, verb: str, words: Sequence[str]) -> None:
    """
    Raises:
        UserError: TS-CLI-001 where the first word after a verb is no provider of its, and nearly a command that plugins put below it.
    """
    called, word = catalog.verbs[verb], next(iter(words), "")
    providers = catalog.registry.providers(called.verb.main_kind) if called.verb.main_kind else {}
    if word and not word.startswith("-") and word not in providers and near(word, catalog.added(verb)):
        raise unknown(f"tunesmith {verb}", word, [*catalog.added(verb), *providers])


def _unknown(typed: str, meant: Sequence[str], help: str) -> UserError:
    offer = "Did you mean " + " or ".join(f"`{line}`" for line in meant) + "?" if meant else f"`{help}` shows all commands."
    return UserError("TS-CLI-001", f"there is no command `{typed}`", fix=offer)


def _inner() -> Iterator[tuple[str, str]]:
    """Group and name of every command that stands in a group."""
    for entry in ENTRIES:
        for command in getattr(importlib.import_module(entry.module), "COMMANDS", ()):
            yield entry.name, command.name

    yield from (("plugin", word) for word in AUTHORS)


def _chosen_by(catalog: Catalog, name: str) -> Iterator[tuple[str, str]]:
    """What a provider of this name is, and how it is chosen."""
    from tunesmith.planning.pipeline.step_syntax import an, words

    for kind in catalog.registry.apis:
        if kind != "verb" and name in catalog.registry.providers(kind):
            line = next(_lines(catalog, kind, name), "")
            yield an(words(kind)), f"Write `{line}`." if line else f"`tunesmith plugin info {kind}.{name}` says what it does."


def _lines(catalog: Catalog, kind: str, name: str) -> Iterator[str]:
    """Commands that take a provider: as what they are about, or in a slot."""
    for command, called in catalog.verbs.items():
        if called.provider is None and called.verb.main_kind == kind:
            yield f"tunesmith {command} {name}"
    for command, called in catalog.verbs.items():
        for slot in called.verb.slots:
            if called.provider and slot.kind == kind:
                yield f"tunesmith {command} --{slot.name.replace('_', '-')} {name}"
