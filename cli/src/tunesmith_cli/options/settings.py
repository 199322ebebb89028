"""Settings as options: a JSON Schema gives the flag, its type, its help and the check of its value."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from tunesmith.contracts.settings import problems
from tunesmith_cli.options.parser import SETTING
from tunesmith_cli.translation.catalogs import gettext, translated

Schema = Mapping[str, Any]


class SettingOption(NamedTuple):
    """A setting that can be given on the command line.

    Args:
        name: dotted, without dashes in front: ``adapter.target-modules``.
        place: keys under which its value goes in the step's parts: ``("adapter", "target_modules")``.
    """

    name: str
    place: tuple[str, ...]
    schema: Schema

    @property
    def dest(self) -> str:
        return SETTING + ".".join(self.place)

    @property
    def aliases(self) -> list[str]:
        """Its other names, dotted as `name`."""
        part = self.name.rpartition(".")[0]
        return [f"{part}.{alias.replace('_', '-')}" for alias in self.schema.get("aliases", ())]


def setting_options(part: str, schema: Schema, place: tuple[str, ...] = ()) -> Iterator[SettingOption]:
    """One option per setting of a part of a step (a slot, a provider, ``settings``); settings within settings have dotted names."""
    place = place or (part,)
    for key, entry in schema.get("properties", {}).items():
        name, inner = f"{part}.{key.replace('_', '-')}", (*place, key)
        if entry.get("type") == "object" and entry.get("properties"):
            yield from setting_options(name, entry, inner)
        else:
            yield SettingOption(name, inner, entry)


def add_setting(group: argparse._ArgumentGroup, option: SettingOption, short: Mapping[str, str] | None = None) -> None:
    """Add an option under its full name and its short one, where nothing else has them (a plugin can't take another's name away), and
    under its aliases, which the help does not list.

    Args:
        short: full name -> the name without the part.
    """
    for names, text in (((option.name,), _help(option.schema)), (option.aliases, argparse.SUPPRESS)):
        both = [name for full in names for name in ((short or {}).get(full, ""), full)]
        taken = group._option_string_actions
        flags = [f"--{name}" for name in both if name and f"--{name}" not in taken and f"--no-{name}" not in taken]
        if flags:
            _add(group, option, flags, text)


def _add(group: argparse._ArgumentGroup, option: SettingOption, flags: list[str], text: str) -> None:
    common: dict[str, Any] = {"dest": option.dest, "default": argparse.SUPPRESS, "help": text}
    kind = _kind(option.schema)
    if kind == "boolean":
        group.add_argument(*flags, action=_Switch, nargs=0, **common)
    elif kind == "array":
        item = option.schema.get("items", {})
        group.add_argument(
            *flags, nargs="+", action=_Items, type=typed({"anyOf": [item, {"type": "array"}]}), metavar=_metavar(item), **common
        )
    elif any(one.get("type") == "array" for one in option.schema.get("anyOf", ())):
        group.add_argument(*flags, nargs="+", action=_OneOrMore, type=typed(option.schema), metavar=_metavar(option.schema), **common)
    else:
        group.add_argument(*flags, action=_Value, type=typed(option.schema), metavar=_metavar(option.schema), **common)


def settings_given(found: argparse.Namespace, options: list[SettingOption]) -> dict[str, Any]:
    """The values that were given, nested by their places."""
    given: dict[str, Any] = {}
    for option in options:
        if hasattr(found, option.dest):
            inner = given
            for key in option.place[:-1]:
                inner = inner.setdefault(key, {})
            inner[option.place[-1]] = getattr(found, option.dest)
    return given


def value_of(schema: Schema, text: str) -> Any:
    """The value that `text` means under a schema.

    Raises:
        ValueError: why it means none.
    """
    shape = {key: schema[key] for key in ("type", "anyOf") if key in schema}
    misfits = []
    for value in _readings(text):
        misfits = [sentence for _, sentence in problems(schema, value)]
        if not misfits:
            return value
        endless = _kind(schema) in ("number", "integer") and isinstance(value, float) and not math.isfinite(value)
        if endless or not any(problems(shape, value)):
            break  # of the right kind, yet out of bounds: that is what to say
    raise ValueError("; ".join(misfits))


def _readings(text: str) -> Iterator[Any]:
    """What a word may be, the strictest reading first and the text itself last."""
    words = {"true": True, "false": False, "null": None, "none": None}
    if text.lower() in words:
        yield words[text.lower()]
    for number in (int, float):
        try:
            yield number(text)
        except ValueError:
            continue
    if text[:1] in "[{":
        with suppress(ValueError):
            yield json.loads(text)
    yield text


def typed(schema: Schema) -> Callable[[str], Any]:
    """A converter for argparse that takes what fits the schema, and says why something does not."""

    def convert(text: str) -> Any:
        try:
            return value_of(schema, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


class _Value(argparse.Action):
    """A setting's value. Of two, under one name or under two of its names, nobody could say which counts; of a list both are a part."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None) -> None:
        name = str(option_string).rpartition(".")[2].removeprefix("--").replace("_", "-")
        spelt = namespace.__dict__.setdefault("spellings", {}).setdefault(self.dest, name)
        if spelt != name:
            parser.error(f"--{name} is the same setting as --{spelt}: give one of them")
        if hasattr(namespace, self.dest):
            values = self.added(parser, str(option_string), getattr(namespace, self.dest), values)
        setattr(namespace, self.dest, values)

    def added(self, parser: Any, option: str, before: Any, value: Any) -> Any:
        """What the setting is when it is given once more."""
        parser.error(f"{option} takes one value and was given {_shown(before)} and {_shown(value)}")


class _Switch(_Value):
    """``--x`` and ``--no-x``."""

    def __init__(self, option_strings: list[str], dest: str, **more: Any) -> None:
        negated = ["--no-" + flag.removeprefix("--") for flag in option_strings]
        self.negated = frozenset(negated)
        super().__init__([*option_strings, *negated], dest, **more)

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None) -> None:
        off = option_string in self.negated
        super().__call__(parser, namespace, not off, str(option_string).replace("--no-", "--", 1) if off else option_string)


class _Items(_Value):
    """Several words, or one that is a JSON list; given again, more of them."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None) -> None:
        super().__call__(parser, namespace, values[0] if len(values) == 1 and isinstance(values[0], list) else values, option_string)

    def added(self, parser: Any, option: str, before: Any, value: Any) -> Any:
        return [*before, *value]


class _OneOrMore(_Value):
    """A value, or several words that are a list of them; so it is with one that is given again."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None) -> None:
        super().__call__(parser, namespace, values[0] if len(values) == 1 else values, option_string)

    def added(self, parser: Any, option: str, before: Any, value: Any) -> Any:
        return [item for one in (before, value) for item in (one if isinstance(one, list) else [one])]


def _kind(schema: Schema) -> str:
    for option in schema.get("anyOf", ()):
        if option.get("type") != "null":
            return _kind(option)
    return str(schema.get("type", ""))


def _metavar(schema: Schema) -> str:
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    return {"integer": "N", "number": "X", "object": "JSON"}.get(_kind(schema), "TEXT")


def _help(schema: Schema) -> str:
    """The description, bounds and default: ``rank of the update (at least 1; default 8)``."""
    facts = [translated(f"{word} {schema[key]}") for key, word in _BOUNDS.items() if key in schema]
    if schema.get("default") is not None:
        facts.append(gettext("default {value}", value=_shown(schema["default"])))
    if schema.get("aliases"):
        facts.append(gettext("also {names}", names=", ".join(schema["aliases"])))
    text = translated(str(schema.get("description", "")))
    return (text + (f" ({'; '.join(facts)})" if facts else "")).replace("%", "%%")


_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most", "exclusiveMaximum": "less than"}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value) if value != "" else "empty"
