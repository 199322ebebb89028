"""`tunesmith plugin doctor`: why a plugin is not active and what to do about it; which ones raise when they are imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tunesmith.config import Config
from tunesmith.errors import TunesmithError, each
from tunesmith.plugins import targets
from tunesmith.plugins.manifest import read_data
from tunesmith.plugins.probe import probe
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import WORKING, Registry
from tunesmith.plugins.required import unmet
from tunesmith.plugins.source import folder_of
from tunesmith.plugins.sync import sync

SERIOUS = ("broken", "incompatible", "duplicate")  #: states that nobody asked for


class Ailment(NamedTuple):
    """Something to know about a plugin or the configuration.

    Args:
        subject: a plugin's distribution, or ``configuration``, ``deprecation``.
        what: a sentence without a full stop.
        fix: what to do: a command, or a sentence.
        serious: something does not work that should.
        state: of the plugin.
    """

    subject: str
    what: str
    fix: str
    serious: bool
    state: str = ""


def diagnose(registry: Registry, config: Config) -> list[Ailment]:
    """All that is wrong or worth knowing. Imports the working plugins' modules, in another process."""
    found = [_of_error("configuration", problem) for problem in config.policy_problems]
    found += [_of_error("configuration", problem) for problem in unmet(config.required, registry.plugins)]
    found += [
        Ailment("configuration", warning, "Install what it names, or take the line out.", True) for warning in registry.policy_warnings()
    ]
    found += [_inactive(plugin) for plugin in registry.plugins if plugin.state != "active"]
    found += [Ailment("deprecation", warning, "Ask its author for a newer version.", False) for warning in registry.warnings]
    working = [plugin for plugin in registry.plugins if plugin.state in WORKING]
    for plugin, error in _imported(working):
        found += [_unimportable(plugin, error)] if error else [*_stale(plugin), *lacking(plugin)]
    return found


def _of_error(subject: str, error: TunesmithError) -> Ailment:
    return Ailment(subject, f"{error.code}: {error.what}{f' ({error.why})' if error.why else ''}", error.fix, True)


def _inactive(plugin: Plugin) -> Ailment:
    return Ailment(plugin.distribution, f"{plugin.state}: {plugin.reason}", plugin.fix, plugin.state in SERIOUS, plugin.state)


def _imported(plugins: Iterable[Plugin]) -> Iterator[tuple[Plugin, str]]:
    """Each plugin with what happens when its module is imported, in another process; empty if nothing does."""
    modules = {plugin.module.partition(":")[0]: plugin for plugin in plugins}
    return ((modules[answer["module"]], answer["error"]) for answer in probe(list(modules)))


def _unimportable(plugin: Plugin, error: str) -> Ailment:
    fix = f"pip install --force-reinstall {plugin.distribution}; if it fails then, too, tell its author: it may import nothing heavy"
    return Ailment(plugin.distribution, f"importing {plugin.module} fails: {error}", fix, True, plugin.state)


def lacking(plugin: Plugin) -> list[Ailment]:
    """What its records name and is not there: nobody else than its author can mend that. Imports nothing."""
    fix = f"pip install --upgrade {plugin.distribution}; if it is the same then, tell its author"
    return [
        Ailment(plugin.distribution, error.what, error.fix if plugin.editable else fix, True, plugin.state)
        for error in targets.missing_here(plugin)
    ]


def _stale(plugin: Plugin) -> Iterator[Ailment]:
    """Whether the manifest is of another version, or does not say what the code says where its author works on it."""
    assert plugin.path is not None
    source = folder_of(plugin.path) if plugin.editable else None
    written = read_data(plugin.path).get("version", "")
    if source:
        yield from _drift(plugin, source)
    elif written and plugin.version and written != plugin.version:
        what = f"its manifest is of version {written}, installed is {plugin.version}"
        yield Ailment(plugin.distribution, what, f"pip install --force-reinstall --no-deps {plugin.distribution}", True, plugin.state)


def _drift(plugin: Plugin, source: Path) -> Iterator[Ailment]:
    try:
        changed = [manifest.path for manifest in sync(source, check=True) if manifest.diff]
    except TunesmithError as error:
        own = [one for one in each(error) if one.code != "TS-PLUGIN-008"]  # those are told for every plugin
        yield from (Ailment(plugin.distribution, f"{one.code}: {one.what}", one.fix, True, plugin.state) for one in own)
        return
    if changed:
        what = f"its manifest does not say what its code says: {changed[0]}"
        yield Ailment(plugin.distribution, what, f"tunesmith plugin sync {source}", True, plugin.state)
