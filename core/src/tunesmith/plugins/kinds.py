"""Which kinds there are, the kernel's own and those that plugins bring, and which plugins speak their contracts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from tunesmith.contracts.provider import API, Kind
from tunesmith.plugins import KERNEL
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.policy import normal

Brought = tuple[Kind, Plugin]
Unfit = tuple[str, str]  #: why a plugin can't be used, and what to do


def brought(plugins: Iterable[Plugin], overrides: Mapping[str, str], apis: Mapping[str, int] = API) -> dict[str, Brought]:
    """The kinds that plugins bring, by name: those that one brings, or that an override (``kind.<name>``) gives to one."""
    found: dict[str, list[Brought]] = {}
    for plugin in plugins:
        for kind in plugin.kinds if plugin.state not in ("denied", "broken", "incompatible") else ():
            if kind.name not in apis:
                found.setdefault(kind.name, []).append((kind, plugin))
    settled = {name: [one for one in among if _wins(one, overrides)] for name, among in found.items()}
    return {name: winners[0] for name, winners in settled.items() if len(winners) == 1}


def _wins(one: Brought, overrides: Mapping[str, str]) -> bool:
    kind, plugin = one
    named = overrides.get(f"kind.{kind.name}")
    return named is None or normal(named) == normal(plugin.distribution)


def speaking(plugins: Iterable[Plugin], overrides: Mapping[str, str], apis: Mapping[str, int] = API) -> list[Plugin]:
    """The plugins, those among them incompatible that bring what nobody here can call. Who loses a kind so may lose it others, too."""
    found = list(plugins)
    while True:
        kinds = brought(found, overrides, apis)
        fit = [_judged(plugin, kinds, found, apis) for plugin in found]
        if fit == found:
            return fit
        found = fit


def _judged(plugin: Plugin, kinds: Mapping[str, Brought], plugins: list[Plugin], apis: Mapping[str, int]) -> Plugin:
    why = next(_unfit(plugin, kinds, plugins, apis), None) if plugin.state == "active" else None
    return replace(plugin, state="incompatible", reason=why[0], fix=why[1]) if why else plugin


def _unfit(plugin: Plugin, kinds: Mapping[str, Brought], plugins: list[Plugin], apis: Mapping[str, int]) -> Iterator[Unfit]:
    for kind in plugin.kinds:
        if kind.name in apis:
            yield f"it brings the kind `{kind.name}`, which is the kernel's own", f"pip install --upgrade {plugin.distribution}"
    for record in plugin.providers:
        if record.kind in apis:
            yield from _versions(record, apis[record.kind], f"this kernel {{}}{apis[record.kind]}", KERNEL)
        elif record.kind in kinds:
            kind, bringer = kinds[record.kind]
            yield from _versions(record, kind.api, f"{bringer.distribution} {bringer.version} {{}}{kind.api}", bringer.distribution)
        else:
            yield _unknown(record, plugins)


def _versions(record: ProviderRecord, current: int, taken: str, caller: str) -> Iterator[Unfit]:
    """Whether a record's contract is the current one or the one before.

    Args:
        taken: who takes which versions, with a place for how far.
        caller: the distribution that calls providers of this kind.
    """
    speaks = f"it speaks version {record.api} of the {record.kind} contract"
    if record.api > current:
        yield f"{speaks}, {taken.format('up to ')}", f"pip install --upgrade {caller}"
    if record.api < current - 1:
        yield f"{speaks}, {taken.format(f'{current - 1} and ')}", f"pip install --upgrade {record.distribution}"


def _unknown(record: ProviderRecord, plugins: list[Plugin]) -> Unfit:
    """Why nobody here can call a provider of a kind that is neither the kernel's nor any plugin's."""
    what = f"it brings the {record.kind.replace('_', ' ')} `{record.name}`, and"
    several = [plugin for plugin in plugins if any(kind.name == record.kind for kind in plugin.kinds) and plugin.state == "active"]
    if len(several) > 1:
        names = [plugin.distribution for plugin in several]
        lines = " or ".join(f'"kind.{record.kind}" = "{name}"' for name in names)
        return f"{what} that kind is brought by {' and '.join(names)}", f"Write below [plugins.override] in tunesmith.toml: {lines}"
    bringer = next((p for p in plugins if record.kind_from and normal(p.distribution) == normal(record.kind_from)), None)
    if bringer is None and record.kind_from:
        return f"{what} {record.kind_from}, which brings that kind, is not installed", f"pip install {record.kind_from}"
    if bringer is None:
        fix = f"Install the plugin that brings the kind {record.kind}: the page of {record.distribution} should name it."
        return f"{what} nothing that is installed brings that kind", fix
    if bringer.state == "active":
        return f"{what} {bringer.distribution} {bringer.version} brings no such kind", f"pip install --upgrade {bringer.distribution}"
    why = f"{bringer.distribution}, which brings that kind, is {bringer.state}: {bringer.reason}"
    return f"{what} {why}", bringer.fix
