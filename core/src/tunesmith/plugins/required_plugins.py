"""Plugins without which nothing is planned or run: `[plugins] require` in the configuration.

A gate that is not there, or can't be imported, lets everything through. So what is named must be installed, active, of the version that
is named, and able to listen; and what a required plugin can't decide, because it fails itself, is not allowed.
"""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Iterable, Iterator
from typing import Any

from tunesmith.errors import Problems, TunesmithError, UserError
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.time_limit import TimeLimit
from tunesmith.policy import matches, normal


def names(required: Iterable[str]) -> frozenset[str]:
    """The distributions that entries of `[plugins] require` name, spelt as PEP 503 has it."""
    return frozenset(normal(entry.partition("==")[0]) for entry in required)


def check_required(required: Iterable[str], plugins: Iterable[Plugin]) -> None:
    """Import the event hooks of what is required, as a run does.

    Raises:
        UserError: TS-PLUGIN-022 for what is not there as it is required, TS-PLUGIN-023 for what can't listen.
        Problems: of several, all.
    """
    wanted = names(required)
    if not wanted:
        return
    plugins, within_limit = tuple(plugins), TimeLimit()
    found = list(unmet(required, plugins))
    for plugin in plugins:
        if plugin.state == "active" and normal(plugin.distribution) in wanted:
            try:
                within_limit(_register, plugin)
                within_limit(_all_named, plugin)
            except Exception as error:
                found.append(cannot_listen(plugin, error))
    if found:
        raise Problems(found) if len(found) > 1 else found[0]


def _register(plugin: Plugin) -> None:
    from tunesmith.hookspecs import plugin_manager

    plugin_manager().register(types.SimpleNamespace(**hooks_of(plugin)), plugin.distribution)


def unmet(required: Iterable[str], plugins: Iterable[Plugin]) -> Iterator[TunesmithError]:
    """What is required and not installed, not active, or of another version. Imports nothing."""
    plugins = tuple(plugins)
    for entry in required:
        name, _, version = entry.partition("==")
        here = [plugin for plugin in plugins if normal(plugin.distribution) == normal(name)]
        what, fix = f"{entry} is required, and ", f"Fix {name}, or have `[plugins] require` changed by whoever asks for it."
        if not here:
            exact = f"=={version}" if version else ""
            yield UserError("TS-PLUGIN-022", f"{what}not installed", why=_WHY, fix=f"pip install '{name}{exact}'")
        for plugin in here:
            if not matches(entry, plugin.distribution, plugin.version):
                yield UserError("TS-PLUGIN-022", f"{what}here is {plugin.version}", why=_WHY, fix=f"pip install '{name}=={version}'")
            elif plugin.state != "active":
                yield UserError("TS-PLUGIN-022", f"{what}{plugin.state}", why=plugin.reason, fix=fix)


def hooks_of(plugin: Plugin) -> dict[str, Any]:
    """A plugin's event hooks as its module has them, by name. Imports the module.

    Raises:
        Exception: whatever is wrong with it.
    """
    hooks = _entry(plugin)
    return {name: getattr(hooks, name) for name in plugin.events}


def _entry(plugin: Plugin) -> Any:
    """What the entry point names: a module, or an object in it."""
    module, _, name = plugin.module.partition(":")
    return functools.reduce(getattr, filter(None, name.split(".")), importlib.import_module(module))


def _all_named(plugin: Plugin) -> None:
    """A hook that a stale manifest does not name would never be called."""
    from tunesmith.hookspecs import EVENTS

    hooks = _entry(plugin)
    there = [name for name in EVENTS if getattr(getattr(hooks, name, None), "tunesmith_impl", None)]
    if silent := sorted(set(there) - set(plugin.events)):
        raise LookupError(f"its manifest does not name {', '.join(silent)}, which its code has")


def cannot_listen(plugin: Plugin, error: Exception) -> UserError:
    """The error of a required plugin whose hooks can't be used."""
    what = f"{plugin.distribution} is required, and can't listen to the run"
    fix = f"Fix or reinstall {plugin.distribution}; `tunesmith plugin doctor` shows when it is well again."
    return UserError("TS-PLUGIN-023", what, why=f"{type(error).__name__}: {error}", fix=fix)


def undecided(plugin: Plugin, hook: str, error: Exception) -> TunesmithError:
    """The error of a required plugin that fails where it should have decided."""
    what = f"{plugin.distribution} is required, and failed in {hook}"
    fix = f"Fix {plugin.distribution}: a gate that fails lets nothing through."
    return TunesmithError("TS-PLUGIN-024", what, why=f"{type(error).__name__}: {error}", fix=fix)


_WHY = "The configuration says so: [plugins] require."
