"""An environment as a plugin's manifest asks for it, for tests of what runs there."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import tunesmith
from tunesmith.config import load_config
from tunesmith.contracts.kinds.environment_builder import Environment, Recipe, Silent
from tunesmith.plugins.manifest import read_manifest
from tunesmith.plugins.registry import load_registry
from tunesmith.running.steps.environments import environments_of


def environment_of(package: str, directory: Path, device: str = "cpu") -> Environment:
    """Build below `directory`, or find there, what a plugin needs; its probe has passed then.

    Args:
        package: the plugin's import name, which its manifest lies in.
    """
    folder = Path(import_module(package).__file__).parent
    plugin = read_manifest(folder / "plugin.toml")
    wanted, probes = plugin.environment_spec, (plugin.environment_spec.probe,) if plugin.environment_spec.probe else ()
    requirements = tuple(sorted((*plugin.runtime, *wanted.runtime.get(device, ()))))
    code = {"tunesmith": Path(tunesmith.__file__).parent, package: folder}
    recipe = Recipe(requirements, wanted.without_dependencies, wanted.absent, wanted.python, device, probes, code, (plugin.distribution,))
    config = load_config()
    settings = replace(config.environments, directory=Path(directory))
    return environments_of(settings, load_registry(config)).ensure(recipe, Silent())
