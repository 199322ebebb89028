"""`tunesmith plugin doctor`: why a plugin is not active and what to do about it; which ones raise when they are imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tunesmith.config import Config
from tunesmith.errors import TunesmithError
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
        found += [_unimportable(plugin, error)] if error else _stale(plugin)
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


def _stale(plugin: Plugin) -> Iterator[Ailment]:
    """Whether the manifest is of another version, or does not say what the code says where its author works on it."""
    assert plugin.path is not None
    source = folder_of(plugin.path) if plugin.editable else None
    drifted = _drift(source) if source else ""
    written = read_data(plugin.path).get("version", "")
    if drifted or (written and plugin.version and written != plugin.version and not source):
        what = drifted or f"its manifest is of version {written}, installed is {plugin.version}"
        fix = f"tunesmith plugin sync {source}" if source else f"pip install --force-reinstall --no-deps {plugin.distribution}"
        yield Ailment(plugin.distribution, what, fix, True, plugin.state)


def _drift(source: Path) -> str:
    try:
        changed = [manifest.path for manifest in sync(source, check=True) if manifest.diff]
    except TunesmithError as error:
        return f"{error.code}: {error.what}"
    return f"its manifest does not say what its code says: {changed[0]}" if changed else ""
