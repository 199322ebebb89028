"""`tunesmith plugin doctor`: why a plugin is not active and what to do about it; which ones raise when they are imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tunesmith.config import Config
from tunesmith.errors import TunesmithError
from tunesmith.plugins import missing_targets as targets
from tunesmith.plugins.manifest import read_data
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import WORKING, Registry
from tunesmith.plugins.required_plugins import unmet
from tunesmith_cli.import_probe import probe

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
    """What its records name and is not there: nobody else than its author can fix that. Imports nothing."""
    fix = f"pip install --upgrade {plugin.distribution}; if it is the same then, tell its author"
    return [
        Ailment(plugin.distribution, error.what, error.fix if plugin.editable else fix, True, plugin.state)
        for error in targets.missing_here(plugin)
    ]


def _stale(plugin: Plugin) -> Iterator[Ailment]:
    """Whether the manifest is of another version; where its author works on the code, `tunesmith plugin sync --check` says more."""
    assert plugin.path is not None
    written = read_data(plugin.path).get("version", "")
    if not plugin.editable and written and plugin.version and written != plugin.version:
        what = f"its manifest is of version {written}, installed is {plugin.version}"
        yield Ailment(plugin.distribution, what, f"pip install --force-reinstall --no-deps {plugin.distribution}", True, plugin.state)
