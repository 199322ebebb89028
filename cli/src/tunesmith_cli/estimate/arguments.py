"""What is to be estimated: the words after `tunesmith estimate`, or `--method`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunesmith.errors import UserError, did_you_mean, listed, nearest
from tunesmith_cli.command import SPOKEN
from tunesmith_cli.options.parser import dashed, normal_options
from tunesmith_cli.plugin_commands import Catalog
from tunesmith_cli.verb.arguments import VerbForm

METHOD = "--method"


def estimable(catalog: Catalog) -> list[str]:
    """Commands that work on a model, not on what an earlier step made of one, and that someone knows the needs of."""
    names = []
    for name, called in catalog.verbs.items():
        mains = [called.provider] if called.provider else catalog.registry.providers(called.verb.main_kind).values()
        known = called.verb.estimator or any(main.estimator for main in mains if main)
        if known and called.verb.inputs and VerbForm(catalog.registry, name, called.verb).takes_model:
            names.append(name)
    return names


def form_of(catalog: Catalog, arguments: Sequence[str]) -> VerbForm | None:
    """The form of the command that `arguments` name; None where they name none and help is wanted.

    Raises:
        UserError: TS-CLI-001 when there is no such command, TS-CLI-006 when there are options and no command.
    """
    words = normal_options(arguments)
    asked, rest = _method(words)
    if not asked and rest and not rest[0].startswith("-"):
        asked = rest.pop(0)
    if not asked:
        if rest and not {"--help", "-h"} & set(rest):
            names = estimable(catalog)
            why = f"It can be {listed(names)}." if names else "No plugin that is installed knows the needs of a command."
            fix = f"Write for example: tunesmith estimate {names[0] if names else 'COMMAND'} {' '.join(rest)}"
            raise UserError("TS-CLI-006", "tunesmith estimate needs to be told what to estimate", why=why, fix=fix)
        return None
    asked = SPOKEN.get(asked, asked)
    if asked not in catalog.verbs:
        return _by_slot(catalog, asked, rest)
    return VerbForm.of(catalog.registry, f"estimate {asked}", catalog.verbs[asked], rest)


def _method(words: Sequence[str]) -> tuple[str, list[str]]:
    """The value of `--method`, and the words without it."""
    rest, asked = list(words), ""
    for index, word in enumerate(words):
        if word.partition("=")[0] == METHOD:
            own = "=" in word
            asked = word.partition("=")[2] if own else "".join(words[index + 1 : index + 2])
            del rest[index : index + (1 if own else 2)]
            break
    return asked, rest


def _by_slot(catalog: Catalog, asked: str, rest: Sequence[str]) -> VerbForm:
    """For a provider in a slot of a command: that command with it in the slot."""
    for name in estimable(catalog):
        called = catalog.verbs[name]
        for slot in called.verb.slots:
            if called.provider and asked in catalog.registry.providers(slot.kind):
                return VerbForm.of(catalog.registry, f"estimate {name}", called, [f"--{dashed(slot.name)}", asked, *rest])
    commands = estimable(catalog)
    if "/" in asked or "://" in asked or Path(asked).exists():
        model = asked if "://" in asked or Path(asked).exists() else _uri(catalog, asked)
        fix = f"Write for example: tunesmith estimate {commands[0] if commands else 'COMMAND'} --model {model}"
        raise UserError("TS-CLI-001", f"`{asked}` is no command to estimate; a model is named by --model", fix=fix)
    slots = {slot.kind for name in commands if catalog.verbs[name].provider for slot in catalog.verbs[name].verb.slots}
    known = [*commands, *(name for kind in slots for name in catalog.registry.providers(kind))]
    raise UserError("TS-CLI-001", f"there is no `{asked}` to estimate", fix=nearest(asked, known, did_you_mean("", commands)))


def _uri(catalog: Catalog, name: str) -> str:
    """The model's address, where a loader knows such names as its own."""
    from tunesmith.planning.inputs.model_source import named_elsewhere

    return next(iter(named_elsewhere(name, catalog.registry)), name)
