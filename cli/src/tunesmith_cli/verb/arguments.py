"""A verb as a command: the providers that its arguments choose, their settings as options, and the step that comes of them."""

from __future__ import annotations

import re
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith.plugins.records import ProviderRecord
from tunesmith_cli.options.columns import rows_given
from tunesmith_cli.options.listeners import kinds_that_listen
from tunesmith_cli.options.parser import dashed, normal_options
from tunesmith_cli.options.settings import SettingOption, setting_options, settings_given
from tunesmith_cli.plugin_commands import VerbName

if TYPE_CHECKING:
    from tunesmith.contracts.provider import Input
    from tunesmith.plugins.registry import Registry

AUTO = "auto"
SETTINGS = "settings"
#: options of every step, which no setting's short name can have
_OWN = {"model", "from", "pipeline", "as", "seed", "device", "gate", "plan", "yaml", "output"}
_OWN |= {"columns", "strict", "ignore-estimates", "refresh", "json", "home", "debug", "help"}


@dataclass(frozen=True)
class Part:
    """A place for a provider in a step.

    Args:
        wanted: what the user wrote; ``auto`` or a slot's default if nothing.
        record: that provider; for ``auto`` the one with the highest priority, whose settings the help then shows.
        prefix: of its settings' options.
    """

    name: str
    wanted: str
    record: ProviderRecord | None
    prefix: str = ""
    default: str = AUTO

    @cached_property
    def options(self) -> list[SettingOption]:
        if self.record is None:
            return []
        return list(setting_options(dashed(self.prefix or self.record.name), self.record.schema, (self.name, self.record.name)))

    def value(self, found: Namespace) -> Any:
        """What a pipeline file would say; settings name the provider that they are of."""
        if self.record is None:
            return self.wanted
        settings = settings_given(found, self.options).get(self.name, {}).get(self.record.name)
        return {self.record.name: settings} if settings else self.wanted


@dataclass
class VerbForm:
    """One command's parts.

    Args:
        promoted: the command is called by its main provider.
        arguments: those that are left for the parser.
    """

    registry: Registry
    name: str
    verb: ProviderRecord
    promoted: bool = False
    mains: list[Part] = field(default_factory=list)
    slots: list[Part] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, registry: Registry, name: str, called: VerbName, arguments: Sequence[str]) -> VerbForm:
        """The form for the providers that `arguments` name, which are found before there is a parser.

        Raises:
            UserError: TS-PLUGIN-... for a provider that is not there.
        """
        form = cls(registry, name, called.verb, called.provider is not None)
        kind, rest = called.verb.main_kind, normal_options(arguments)
        if called.provider:
            form.mains = [Part(kind, called.provider.name, called.provider)]
        elif kind:
            words: list[str] = []
            while rest and not rest[0].startswith("-") and (called.verb.many or not words):
                words.append(rest.pop(0))
            form.mains = [Part(kind, word, form.record(kind, word)) for word in dict.fromkeys(words or [AUTO])]
        for slot in called.verb.slots:
            wanted = _given(rest, f"--{dashed(slot.name)}")
            # a default that is no provider's name has a meaning for the planner alone
            record = form.record(slot.kind, wanted) if wanted else registry.providers(slot.kind).get(slot.default)
            if not wanted and slot.default == AUTO:
                record = form.record(slot.kind, AUTO)
            form.slots.append(Part(slot.name, wanted or slot.default, record, slot.name, slot.default))
        form.arguments = rest
        return form

    def record(self, kind: str, wanted: str) -> ProviderRecord | None:
        if wanted == AUTO:
            return next(iter(self.registry.providers(kind).values()), None)
        return self.registry.provider(kind, wanted)

    @property
    def takes_provider(self) -> bool:
        """Whether the provider's name stands after the command."""
        return bool(self.verb.main_kind) and not self.promoted

    @property
    def takes_model(self) -> bool:
        """Whether a model can be its main input as it comes from a loader. An adapter can't: its base is known to the step that made it."""
        accepts = self.verb.inputs[0].accepts
        return not accepts or any(not format.startswith("adapter/") for format in accepts)

    @cached_property
    def others(self) -> list[Input]:
        """The inputs beside the main one, but those for which the main providers that are named have no use."""
        named = [part.record for part in self.mains if part.record and part.wanted != AUTO]
        return [entry for entry in self.verb.inputs[1:] if not named or any(_has_use(record, entry) for record in named)]

    def needs(self, entry: Input) -> bool:
        """Whether an input has to be given."""
        return entry.required or any(part.record and part.record.facts.get(entry.required_by) is True for part in self.mains)

    @cached_property
    def own(self) -> list[SettingOption]:
        """The verb's own settings."""
        return list(setting_options(SETTINGS, self.verb.schema))

    @cached_property
    def short(self) -> dict[str, str]:
        """Option or alias -> its name without the part, where no other option could be meant; a name goes before an alias."""
        options = [*self.own, *(option for part in self.mains for option in part.options)]
        entries = (*self.verb.inputs, *self.verb.slots)
        taken = _OWN | {dashed(name) for name in (*(entry.name for entry in entries), *kinds_that_listen(self.registry))}
        found: dict[str, str] = {}
        for names in ([option.name for option in options], [alias for option in options for alias in option.aliases]):
            often = Counter(name.partition(".")[2] for name in names)
            shorts = {name: name.partition(".")[2] for name in names}
            found |= {name: short for name, short in shorts.items() if often[short] == 1 and short.partition(".")[0] not in taken}
            taken = taken | {*often}
        return found

    @property
    def needs_main(self) -> bool:
        """Whether there is nothing to do without a main input: not where what the provider works on is elsewhere."""
        main = self.verb.inputs[0]
        return main.required and not any(part.record and part.record.facts.get(main.unless) is True for part in self.mains)

    def absent(self, found: Namespace) -> list[str]:
        """The options of inputs beside the main one that are needed and not given, with what each is."""
        needed = (entry for entry in self.others if self.needs(entry) and getattr(found, f"input:{entry.name}") is None)
        return [f"--{dashed(entry.name)} ({entry.summary})" for entry in needed]

    def step(self, found: Namespace) -> dict[str, Any]:
        """The step as a pipeline file would have it."""
        mains = [part.value(found) for part in self.mains]
        raw: dict[str, Any] = {self.verb.name: {} if not mains else mains[0] if len(mains) == 1 else mains}
        raw |= {part.name: value for part in self.slots if (value := part.value(found)) != part.default}
        for entry in self.others:
            path = getattr(found, f"input:{entry.name}")
            if path is not None:
                raw[entry.name] = self.files(entry, path, found) if takes_rows(entry) else path
        further: Mapping[str, Any] = {
            SETTINGS: settings_given(found, self.own).get(SETTINGS), "gate": dict(_gate(text) for text in getattr(found, "gate", ())),
            "seed": found.seed, "device": found.device,
        }  # fmt: skip
        return raw | {key: value for key, value in further.items() if value not in (None, {})}

    def files(self, entry: Input, paths: list[str], found: Namespace) -> Any:
        """The files of rows of one input, as a pipeline would have them."""
        mixed = _mixed(paths, getattr(found, f"weights:{entry.name}"), dashed(entry.name))
        entries = [rows_given(path, found) for path in paths]
        if not isinstance(entries[0], Mapping):
            return mixed
        if len(paths) == 1:
            return entries[0]
        shares = mixed if isinstance(mixed, Mapping) else {}
        return [entry | ({"weight": shares[path]} if path in shares else {}) for path, entry in zip(paths, entries, strict=True)]


def _has_use(record: ProviderRecord, entry: Input) -> bool:
    """Whether a main provider reads an input, as planning asks it."""
    return (not entry.read_by or record.facts.get(entry.read_by) is True) and (
        not entry.accepts_by or bool(record.facts.get(entry.accepts_by))
    )


def takes_model(entry: Input) -> bool:
    """Whether an input is one model, which may come from a loader."""
    return not entry.many and any(format.startswith("model/") for format in entry.accepts)


def takes_rows(entry: Input) -> bool:
    """Whether an input may be made of several files: of rows, not of files as they are."""
    return not entry.accepts or any(format.startswith(("dataset/", "*")) for format in entry.accepts)


def _mixed(paths: list[str], weights: str | None, name: str) -> Any:
    """The files as a pipeline would have them."""
    if weights is None:
        return paths[0] if len(paths) == 1 else paths
    try:
        shares = [float(word) for word in weights.split(",")]
    except ValueError:
        shares = []
    if len(shares) != len(paths):
        what = f"--{name}-weights {weights} should be {len(paths)} numbers with commas between, one for each --{name}"
        raise UserError("TS-CLI-002", what, fix=f"Write for example --{name} a.jsonl --{name} b.jsonl --{name}-weights 0.7,0.3")
    return dict(zip(paths, shares, strict=True))


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
