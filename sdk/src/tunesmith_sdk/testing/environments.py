"""An environment as a plugin's manifest asks for it, for tests of what runs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import tunesmith
from tunesmith.config import load_config
from tunesmith.contracts.kinds.environment_builder import Environment, Recipe, Silent
from tunesmith.plugins.manifest import Plugin, read_manifest
from tunesmith.plugins.registry import load_registry
from tunesmith.running.steps.environments import environments_of


def environment_of(package: str, directory: Path, device: str = "cpu") -> Environment:
    """What a plugin needs: found in the user's cache or below `directory`, or built there; its probe has passed then.

    Args:
        package: the plugin's import name, which its manifest lies in.
    """
    plugin = _plugin(package)
    wanted, code, names = plugin.environment_spec, _code(package), (plugin.distribution,)
    requirements = tuple(sorted((*plugin.runtime, *wanted.runtime.get(device, ()))))
    probes = (wanted.probe,) if wanted.probe else ()
    return _built(Recipe(requirements, wanted.without_dependencies, wanted.absent, wanted.python, device, probes, code, names), directory)


def environment_from(package: str, requirements: Sequence[str], directory: Path, without_dependencies: Sequence[str] = ()) -> Environment:
    """One with other packages than the plugin asks for, unprobed: for tests of what can be told without those that run on no processor."""
    plugin = _plugin(package)
    wanted, code = plugin.environment_spec, _code(package)
    named = (tuple(sorted(requirements)), tuple(without_dependencies))
    return _built(Recipe(*named, wanted.absent, wanted.python, packages=code, plugins=(plugin.distribution,)), directory)


def _plugin(package: str) -> Plugin:
    return read_manifest(_folder(package) / "plugin.toml")


def _folder(package: str) -> Path:
    return Path(import_module(package).__file__).parent


def _code(package: str) -> dict[str, Path]:
    return {"tunesmith": Path(tunesmith.__file__).parent, package: _folder(package)}


def _built(recipe: Recipe, directory: Path) -> Environment:
    """The user's own environment where it stands ready, since one with the same key is the same; built below `directory` otherwise."""
    config = load_config()
    registry, settings = load_registry(config), config.environments
    here = environments_of(replace(settings, directory=Path(directory)), registry)
    here.lock(recipe, Silent())
    own = environments_of(replace(settings, find_links=(*settings.find_links, Path(directory))), registry)  # which reads the lock there
    return (own if own.ready(recipe) else here).ensure(recipe, Silent())
