"""`tunesmith plugin doctor`: why a plugin is not active and what to do about it; which ones raise when they are imported."""

from __future__ import annotations

from typing import NamedTuple

from tunesmith.config import Config
from tunesmith.plugins.probe import probe
from tunesmith.plugins.registry import WORKING, Registry


class Ailment(NamedTuple):
    """Something to know about a plugin or the configuration. `serious`: something does not work that should."""

    subject: str
    what: str
    serious: bool


def diagnose(registry: Registry, config: Config) -> list[Ailment]:
    """All that is wrong or worth knowing. Imports the working plugins' modules, in another process."""
    found = [Ailment("configuration", f"{p.code}: {p.what}{f' ({p.why})' if p.why else ''}. {p.fix}", True) for p in config.policy_problems]
    found += [Ailment("configuration", warning, True) for warning in registry.policy_warnings()]
    serious = ("broken", "incompatible", "duplicate")
    found += [Ailment(p.distribution, f"{p.state}: {p.reason}", p.state in serious) for p in registry.plugins if p.state != "active"]
    found += [Ailment("deprecation", warning, False) for warning in registry.warnings]
    modules = {plugin.module.partition(":")[0]: plugin for plugin in registry.plugins if plugin.state in WORKING}
    for answer in probe(list(modules)):
        if answer["error"]:
            plugin = modules[answer["module"]]
            what = f"importing {answer['module']} fails: {answer['error']}; reinstall {plugin.distribution}, or deny it"
            found.append(Ailment(plugin.distribution, what, True))
    return found
