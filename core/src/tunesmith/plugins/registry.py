"""The registry: which plugins are there, which of them may be used, and who answers to a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith import __version__
from tunesmith.config import Config
from tunesmith.contracts.artifacts import fits
from tunesmith.contracts.provider import API, Kind, Slot
from tunesmith.deprecations import previous_api
from tunesmith.errors import UserError, did_you_mean, nearest
from tunesmith.plugins import KERNEL
from tunesmith.plugins.discovery import discover
from tunesmith.plugins.kinds import Brought, brought, speaking
from tunesmith.plugins.manifest import plugin_of
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.policy import normal

WORKING = ("active", "duplicate", "overridden")  #: states in which a plugin's manifest counts
Name = tuple[str, str]
_ALLOW = "If it is to be used, change [plugins] allow or deny in that file; `tunesmith plugin info NAME --code` tells a pin."


def load_registry(config: Config, apis: Mapping[str, int] = API) -> Registry:
    """The plugins installed in this environment under this configuration. Imports none of them, raises for none of them."""
    return Registry(speaking(map(_plugin, discover(config)), config.overrides, apis), config.overrides, apis)


class Registry:
    """Plugins and their providers.

    Args:
        plugins: as discovered; the kernel is one of them.
        overrides: ``kind.name`` -> the distribution that wins it.
        apis: contract versions of the kernel's own kinds.
    """

    def __init__(self, plugins: Iterable[Plugin], overrides: Mapping[str, str] | None = None, apis: Mapping[str, int] = API) -> None:
        found = tuple(plugins)
        self._overrides = dict(overrides or {})
        self._candidates: dict[Name, list[ProviderRecord]] = {}
        self._bringing: dict[Name, list[str]] = {}
        for plugin in (plugin for plugin in found if plugin.state in WORKING):
            for record in plugin.providers:
                self._candidates.setdefault((record.kind, record.name), []).append(record)
            for name in _names(plugin):
                self._bringing.setdefault(name, []).append(plugin.distribution)
        self._brought = brought(found, self._overrides, apis)
        examiners = tuple(
            Slot(kind.examines, name, kind.summary, told=False, examines=True)
            for name, (kind, _) in self._brought.items()
            if kind.examines and any(name == candidate for candidate, _ in self._candidates)
        )
        for records in (records for (kind, _), records in self._candidates.items() if kind == "verb" and examiners):
            records[:] = [replace(r, slots=(*r.slots, *examiners)) if _makes_models(r) else r for r in records]
        #: contract versions of all kinds, the kernel's and those that plugins bring
        self.apis: Mapping[str, int] = {**apis, **{name: kind.api for name, (kind, _) in self._brought.items()}}
        self.plugins: tuple[Plugin, ...] = tuple(self._settled(plugin) for plugin in found)
        #: what is on its way out, a sentence each
        self.warnings: tuple[str, ...] = tuple(
            previous_api(record.distribution, record.kind, record.api, *self._until(record.kind))
            for plugin in self.plugins
            for record in {record.kind: record for record in plugin.providers}.values()
            if plugin.state in WORKING and record.api < self.apis.get(record.kind, 0)
        )

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds that plugins bring."""
        return {name: kind for name, (kind, _) in self._brought.items()}

    def bringer(self, kind: str) -> Plugin:
        """The plugin that brings a kind of `kinds`."""
        return self._brought[kind][1]

    def _until(self, kind: str) -> tuple[str, str] | tuple[()]:
        """Of a kind that a plugin brings: who stops taking the contract before, and with which version."""
        found: Brought | None = self._brought.get(kind)
        return (found[1].distribution, found[0].until) if found else ()

    @cached_property
    def _by_name(self) -> dict[str, Plugin]:
        return {normal(plugin.distribution): plugin for plugin in reversed(self.plugins)}

    @cached_property
    def _by_record(self) -> dict[tuple[str, str, str], Plugin]:
        return {(plugin.distribution, r.kind, r.name): plugin for plugin in reversed(self.plugins) for r in plugin.providers}

    def plugin(self, record: ProviderRecord) -> Plugin:
        """The plugin that brings a record of this registry."""
        return self._by_record[record.distribution, record.kind, record.name]

    def distribution(self, name: str) -> Plugin:
        """The plugin of a distribution's name.

        Raises:
            UserError: TS-PLUGIN-001 when it is not installed.
        """
        if normal(name) not in self._by_name:
            brought = {record.name for plugin in self.plugins for record in plugin.providers}
            fix = nearest(normal(name), brought | set(self._by_name), "`tunesmith plugin list` shows what there is.")
            raise UserError("TS-PLUGIN-001", f"no plugin `{name}` is installed", fix=fix)
        return self._by_name[normal(name)]

    def providers(self, kind: str) -> Mapping[str, ProviderRecord]:
        """The providers of a kind that can be chosen, by name, in order of priority. Some may need an isolated environment."""
        found = [self._winner(name) for name in self._candidates if name[0] == kind]
        return {r.name: r for r in sorted((r for r in found if r), key=lambda r: (-r.priority, r.name))}

    def provider(self, kind: str, name: str) -> ProviderRecord:
        """The provider of a name.

        Raises:
            UserError: TS-PLUGIN-001 when there is none, TS-PLUGIN-002 when its plugin is denied, broken or incompatible,
                TS-PLUGIN-003 when several bring it.
        """
        found = self._winner((kind, name))
        if found:
            return found
        candidates = self._candidates.get((kind, name), [])
        winner = self._overrides.get(f"{kind}.{name}")
        what = f"the {kind.replace('_', ' ')} `{name}`"
        if winner and candidates:
            others = ", ".join(record.distribution for record in candidates)
            raise UserError("TS-PLUGIN-002", f"{what} is given to {winner} by [plugins.override]", why=self._why_not(winner, kind, name),
                            fix=f"Fix {winner}, or remove the override to use {others}.")  # fmt: skip
        if candidates:
            both = " and ".join(f"{record.distribution} {record.version}" for record in candidates)
            lines = " or ".join(f'"{kind}.{name}" = "{record.distribution}"' for record in candidates)
            raise UserError("TS-PLUGIN-003", f"{what} is brought by {both}", why="a name must mean one thing",
                            fix=f"Write below [plugins.override] in tunesmith.toml: {lines}")  # fmt: skip
        for plugin in self.plugins:
            if plugin.state not in WORKING and any((r.kind, r.name) == (kind, name) for r in plugin.providers):
                raise UserError("TS-PLUGIN-002", f"{what} can't be used: {plugin.distribution} is {plugin.state}", why=plugin.reason,
                                fix=plugin.fix or "Run `tunesmith plugin doctor`.")  # fmt: skip
        unusable = [p for p in self.plugins if p.state in ("denied", "broken") and not p.providers]
        fix = did_you_mean(name, self.providers(kind))
        if not fix.startswith("Did"):
            fix += " If a plugin that is not installed should bring it, install that."
        if unusable:
            fix += " Not known what they bring: " + ", ".join(f"{p.distribution} ({p.state})" for p in unusable[:5]) + "."
        raise UserError("TS-PLUGIN-001", f"no installed plugin brings {what}", fix=fix)

    def verb(self, name: str) -> ProviderRecord:
        """The verb of a name; errors as for `provider`."""
        return self.provider("verb", name)

    def policy_warnings(self) -> list[str]:
        """Overrides that change nothing because what they name is not there."""
        found = []
        for key, winner in self._overrides.items():
            kind, _, name = key.partition(".")
            unknown = kind not in ("kind", *self.apis)
            why = f"there is no kind `{kind}`. {did_you_mean(kind, self.apis)}" if unknown else self._why_not(winner, kind, name)
            if why:
                found.append(f'[plugins.override] "{key}" = "{winner}": {why}')
        return found

    def _winner(self, name: Name) -> ProviderRecord | None:
        candidates = self._candidates.get(name, [])
        named = self._overrides.get(".".join(name))
        if named:
            return next((record for record in candidates if normal(record.distribution) == normal(named)), None)
        return candidates[0] if len(candidates) == 1 else None

    def _why_not(self, distribution: str, kind: str, name: str) -> str:
        if (plugin := self._by_name.get(normal(distribution))) is None:
            return f"{distribution} is not installed"
        if plugin.state not in WORKING:
            return f"{distribution} is {plugin.state}: {plugin.reason}"
        brings = (kind, name) in _names(plugin)
        return "" if brings else f"{distribution} brings no {kind.replace('_', ' ')} `{name}`"

    def _settled(self, plugin: Plugin) -> Plugin:
        """The plugin with what becomes of it beside the others: duplicate or overridden names."""
        if plugin.state != "active":
            return plugin
        lost, shared, line = [], [], ""
        for name in _names(plugin):
            key = ".".join(name)
            others = [other for other in self._bringing[name] if other != plugin.distribution]
            winner = self._overrides.get(key)
            if winner and normal(winner) != normal(plugin.distribution):
                lost.append(f"{key} is given to {winner} by [plugins.override]")
            elif others and not winner:
                shared.append(f"{key} is brought by {', '.join(others)}, too")
                line = line or f'"{key}" = "{plugin.distribution}"'
        if shared:
            fix = f"Name the winner in tunesmith.toml, below [plugins.override]: {line}"
            return replace(plugin, state="duplicate", reason="; ".join(shared), fix=fix)
        if lost:
            fix = "Nothing, if that is meant; else take the line out of [plugins.override]."
            return replace(plugin, state="overridden", reason="; ".join(lost), fix=fix)
        return plugin


def _makes_models(verb: ProviderRecord) -> bool:
    """Whether a verb makes models or adapters of something: those that load one, ask one or serve one do not, nor those that only read."""
    made = any(fits(format, ("model/*+*", "adapter/*+*")) for format in verb.produces)
    return bool(verb.inputs) and not verb.service and (made or bool(verb.produces_of and verb.computes))


def _names(plugin: Plugin) -> Iterator[Name]:
    """What a plugin brings, as overrides name it: providers, and kinds as ``kind.<name>``."""
    yield from ((record.kind, record.name) for record in plugin.providers)
    yield from (("kind", kind.name) for kind in plugin.kinds)


def _plugin(entry: Mapping[str, Any]) -> Plugin:
    """The plugin of a discovered entry, as far as can be said of it alone: active, denied, broken or of another kernel."""
    identity = {"distribution": entry["distribution"], "version": entry["version"]}
    path = Path(entry["manifest"]) if entry["manifest"] else None
    unread = {"module": entry["module"], "path": path, "editable": entry.get("editable", False)}
    if entry["refused"]:
        return Plugin(**identity, **unread, state="denied", reason=entry["refused"], fix=_ALLOW)
    if "problem" in entry:
        return Plugin(**identity, **unread, state="broken", reason=entry["problem"], fix=entry["fix"])
    missing = {device: tuple(phrases) for device, phrases in entry["missing"].items()}
    known = {"missing": missing, "fingerprint": entry["fingerprint"], "absent": tuple(entry["absent"]), "editable": unread["editable"]}
    plugin = plugin_of(entry["data"], path, **identity, **known)
    if wanted := entry["kernel"]:
        why = f"it requires {wanted}; this is {KERNEL} {__version__}"
        return replace(plugin, state="incompatible", reason=why, fix=f"pip install '{wanted}'")
    return plugin
