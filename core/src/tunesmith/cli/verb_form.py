"""A verb as a command: its options, made from the verb's record and those of the providers that take part."""

from __future__ import annotations

import re
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunesmith.cli.catalog import VerbName
from tunesmith.cli.command import SPOKEN
from tunesmith.cli.parsing import Parser, normal_options, usage_of
from tunesmith.cli.setting_options import SettingOption, add_setting, setting_options, settings_given, typed
from tunesmith.errors import UserError
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

AUTO = "auto"
SEED = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
SETTINGS = "settings"
_OWN = frozenset(
    (
        "model",
        "from",
        "pipeline",
        "as",
        "seed",
        "device",
        "gate",
        "plan",
        "yaml",
        "output",
        "strict",
        "refresh",
        "json",
        "home",
        "debug",
        "help",
    )
)


@dataclass(frozen=True)
class Part:
    """A place for a provider in a step.

    Args:
        wanted: what the user wrote; ``auto`` or a slot's default if nothing.
        record: that provider; for ``auto`` the one with the highest priority, whose settings the help then shows.
    """

    name: str
    kind: str
    wanted: str
    record: ProviderRecord | None
    summary: str = ""

    def value(self, settings: Mapping[str, Any]) -> Any:
        """What a pipeline file would say; settings name the provider that they are of."""
        name = self.record.name if settings and self.record else self.wanted
        return {name: dict(settings)} if settings else name


@dataclass
class VerbForm:
    """The options of one command, for the providers that its arguments choose.

    Raises:
        UserError: TS-PLUGIN-... for a provider that is not there, TS-CLI-002 for arguments that don't fit.
    """

    registry: Registry
    name: str
    verb: ProviderRecord
    mains: list[Part] = field(default_factory=list)
    slots: list[Part] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, registry: Registry, name: str, called: VerbName, arguments: Sequence[str]) -> VerbForm:
        form = cls(registry, name, called.verb)
        rest = normal_options(arguments)
        if called.provider:
            form.mains = [form.part(called.verb.main_kind, called.verb.main_kind, called.provider.name)]
        elif called.verb.main_kind:
            words = []
            while rest and not rest[0].startswith("-") and (called.verb.many or not words):
                words.append(rest.pop(0))
            form.mains = [form.part(called.verb.main_kind, called.verb.main_kind, word) for word in dict.fromkeys(words or [AUTO])]
        for slot in called.verb.slots:
            wanted = _given(rest, f"--{_dashed(slot.name)}") or slot.default
            form.slots.append(form.part(slot.name, slot.kind, wanted, slot.summary))
        form.arguments = rest
        return form

    def part(self, name: str, kind: str, wanted: str, summary: str = "") -> Part:
        providers = self.registry.providers(kind)
        if wanted == AUTO:
            return Part(name, kind, AUTO, next(iter(providers.values()), None), summary)
        if any(slot.default == wanted for slot in self.verb.slots) and wanted not in providers:
            return Part(name, kind, wanted, None, summary)  # a default that only the planner knows the meaning of
        return Part(name, kind, wanted, self.registry.provider(kind, wanted), summary)

    # --- the parser --------------------------------------------------------------------------------------------------------------

    @cached_property
    def own(self) -> list[SettingOption]:
        return list(setting_options(SETTINGS, self.verb.schema))

    @cached_property
    def main(self) -> list[list[SettingOption]]:
        return [_of_provider(part, part.record.name) if part.record else [] for part in self.mains]

    @cached_property
    def of_slots(self) -> list[list[SettingOption]]:
        return [_of_provider(part, part.name) if part.record else [] for part in self.slots]

    @cached_property
    def short(self) -> dict[str, str]:
        """Option -> its name without the part, where no other option could be meant."""
        names = {option.name: option.name.partition(".")[2] for option in [*self.own, *(o for options in self.main for o in options)]}
        often = Counter(names.values())
        taken = _OWN | {_dashed(entry.name) for entry in (*self.verb.inputs, *self.verb.slots)}
        return {name: short for name, short in names.items() if often[short] == 1 and short.partition(".")[0] not in taken}

    @cached_property
    def parser(self) -> Parser:
        summary = self.mains[0].record.summary if self._promoted and self.mains[0].record else self.verb.summary
        parser = Parser(f"tunesmith {self.name}", summary, self.examples)
        self._add_work(parser)
        for part, options in zip(self.slots, self.of_slots, strict=True):
            group = parser.add_argument_group(f"{part.name}: {part.summary}")
            known = ", ".join(self.registry.providers(part.kind))
            group.add_argument(
                f"--{_dashed(part.name)}", metavar="NAME", help=f"one of {known or 'none'} (default: {self._default(part.name)})"
            )
            for option in options:
                add_setting(group, option)
        if self.own:
            group = parser.add_argument_group(f"settings of {self.verb.name}")
            for option in self.own:
                add_setting(group, option, self.short.get(option.name, ""))
        for part, options in zip(self.mains, self.main, strict=True):
            if part.record and options:
                group = parser.add_argument_group(f"settings of {part.record.name}", f"in full --{_dashed(part.record.name)}.NAME")
                for option in options:
                    add_setting(group, option, self.short.get(option.name, ""))
        parser.usage = usage_of(parser)
        if self._takes_provider:
            parser.usage = parser.usage.replace(parser.prog, f"{parser.prog} " + ("[NAME ...]" if self.verb.many else "[NAME]"), 1)
            known = ", ".join(self.registry.providers(self.verb.main_kind))
            parser.description = (
                f"{parser.description}\n\nNAME: the {self.verb.main_kind.replace('_', ' ')}, one of {known} (default: {AUTO})"
            )
        return parser

    @property
    def _promoted(self) -> bool:
        return self.name not in (self.verb.name, SPOKEN.get(self.verb.name))

    @property
    def _takes_provider(self) -> bool:
        return bool(self.verb.main_kind) and not self._promoted

    def _default(self, slot: str) -> str:
        return next(entry.default for entry in self.verb.slots if entry.name == slot)

    def _add_work(self, parser: Parser) -> None:
        group = parser.add_argument_group("what to work on")
        main, *others = self.verb.inputs
        group.add_argument("--model", metavar="URI", help=f"{main.summary}: scheme://place, or a local directory")
        many = {"nargs": "+"} if self.verb.many else {}
        group.add_argument("--from", dest="source", metavar="STEP", help="or what this step of an earlier command or pipeline made", **many)
        group.add_argument("--pipeline", metavar="FILE", help="where STEP is (default: earlier commands here, then ./tunesmith.yaml)")
        for entry in others:
            needed = "" if entry.required else " (optional)"
            group.add_argument(f"--{_dashed(entry.name)}", dest=f"input:{entry.name}", metavar="PATH", help=entry.summary + needed)
        if self.verb.many:
            group.add_argument("--gate", action="append", default=[], metavar="METRIC=BOUND", help='fail unless it holds, e.g. "loss<=2.5"')
        group.add_argument("--seed", type=typed(SEED), metavar="N", help="of everything random (default 0)")
        group.add_argument("--device", metavar="NAME", help="device backend (default: the best that is here)")
        group.add_argument("--as", dest="title", metavar="NAME", help=f"what to call this step (default: {self.name})")

    @property
    def examples(self) -> list[tuple[str, str]]:
        """Made from what is installed, so that they run."""
        words = [f"tunesmith {self.name}"]
        if self._takes_provider and self.mains[0].record:
            words.append(self.mains[0].record.name)
        converts = self.verb.inputs[0].accepts and not any(format.startswith("model/") for format in self.verb.inputs[0].accepts)
        words.append("--from STEP" if converts else "--model file://path/to/model")
        words += [f"--{_dashed(entry.name)} rows.jsonl" for entry in self.verb.inputs[1:] if entry.required]
        shown = [("with what is chosen automatically; --plan shows what that is", " ".join([*words, "--plan"]))]
        for part, options in zip(self.slots, self.of_slots, strict=True):
            numbers = [o for o in options if o.schema.get("type") == "integer" and o.schema.get("default") is not None]
            if part.record and numbers and self._default(part.name) == AUTO:
                chosen = f"--{_dashed(part.name)} {part.record.name} --{numbers[0].name} {numbers[0].schema['default']}"
                shown.append((f"another {part.name}, with settings of its own", " ".join([*words, chosen])))
                break
        shown.append(("the same as a step of a pipeline file", " ".join([*words, "--yaml"])))
        return shown

    # --- the step ----------------------------------------------------------------------------------------------------------------

    def step(self, found: Namespace) -> dict[str, Any]:
        """The step as a pipeline file would have it."""
        mains = [part.value(_settings(part, found, options)) for part, options in zip(self.mains, self.main, strict=True)]
        raw: dict[str, Any] = {self.verb.name: {} if not mains else mains[0] if len(mains) == 1 else mains}
        for part, options in zip(self.slots, self.of_slots, strict=True):
            value = part.value(_settings(part, found, options))
            if value != self._default(part.name):
                raw[part.name] = value
        for entry in self.verb.inputs[1:]:
            path = getattr(found, f"input:{entry.name}")
            if path is None and entry.required:
                raise UserError("TS-CLI-006", f"tunesmith {self.name} needs --{_dashed(entry.name)}: {entry.summary}",
                                fix=f"`tunesmith {self.name} --help` shows an example.")  # fmt: skip
            if path is not None:
                raw[entry.name] = path
        settings = settings_given(found, self.own).get(SETTINGS)
        gates = dict(_gate(text) for text in getattr(found, "gate", ()))
        for key, value in ((SETTINGS, settings), ("gate", gates), ("seed", found.seed), ("device", found.device)):
            if value or value == 0:
                raw[key] = value
        return raw


def _of_provider(part: Part, prefix: str) -> list[SettingOption]:
    assert part.record is not None
    return list(setting_options(_dashed(prefix), part.record.schema, (part.name, part.record.name)))


def _settings(part: Part, found: Namespace, options: list[SettingOption]) -> Mapping[str, Any]:
    given = settings_given(found, options).get(part.name, {})
    return given.get(part.record.name, {}) if part.record else {}


def _gate(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"\s*([^<>=\s]+)\s*([<>].*)", text)
    if match:
        return match[1], match[2]
    raise UserError("TS-CLI-002", f"--gate {text} names no bound", fix='Write for example --gate "loss<=2.5".')


def _given(arguments: Sequence[str], flag: str) -> str:
    """The value of an option that is looked at before there is a parser."""
    value = ""
    for index, word in enumerate(arguments):
        if word == flag and index + 1 < len(arguments):
            value = arguments[index + 1]
        elif word.startswith(f"{flag}="):
            value = word.partition("=")[2]
    return value


def _dashed(name: str) -> str:
    return name.replace("_", "-")
