"""Where a plugin's workers run during an examination: the host's environment, or an isolated one as the kernel builds it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import fastjsonschema

import tunesmith_data.api
import tunesmith_sdk
from tunesmith.config import load_config
from tunesmith.contracts.kinds.environment_builder import Environment, Start
from tunesmith.planning.placement.environments import recipe_of
from tunesmith.plugins import requirements
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.plugins.registry import Registry, load_registry
from tunesmith.policy import normal
from tunesmith.running.steps.environments import environments_of
from tunesmith_sdk.conformance.checks import NotRun
from tunesmith_sdk.conformance.report.progress import Building, Tell, silent
from tunesmith_sdk.manifest.source import Source

#: kind -> what computes with its providers: a tiny model that is adapted, a device that is tried; as in the SDK's own extra `torch`
_NEEDED = {"adapter": "transformers>=4.56", "device_backend": "torch>=2.4"}
#: the kit itself, and what it holds rows against their schema with: pure Python that requires nothing
_LINKED = {module.__name__: Path(module.__file__).parent for module in (tunesmith_sdk, fastjsonschema)}
_LINKED["tunesmith_data"] = Path(tunesmith_data.api.__file__).parents[1]


class Place:
    """The environment of one examination.

    Args:
        asked: ``host``, ``isolated``, or ``auto``: as the planner would decide, but nothing is built for it.
        tell: told how the building goes.
    """

    def __init__(self, source: Source, plugin: Plugin, asked: str, tell: Tell = silent) -> None:
        self.source, self.plugin, self.asked, self._tell = source, plugin, asked, tell
        self.config = load_config()
        self.registry = _with(load_registry(self.config), replace(plugin, path=source.manifest), self.config.overrides)
        wanted = requirements.place(plugin) if asked == "auto" else asked
        self.where = "isolated" if wanted == "isolated" else "host"
        self._starts: dict[tuple[str, ...], Start] = {}
        self._built: Environment | None = None

    def start(self, device: str = "cpu", others: Iterable[Plugin] = ()) -> Start:
        """How workers are started on a device.

        Args:
            others: who takes part in their step besides this plugin.

        Raises:
            NotRun: they can't be, here.
            TunesmithError: TS-ENV-... when the environment can't be built.
        """
        plugins = {normal(plugin.distribution): plugin for plugin in [*others, self.registry.distribution(self.plugin.distribution)]}
        key = (device, *sorted(plugins))
        if key not in self._starts:
            self._starts[key] = (self._isolated if self.where == "isolated" else self._host)(device, list(plugins.values()))
        return self._starts[key]

    def _host(self, device: str, plugins: Sequence[Plugin]) -> Start:
        lacks = [phrase for plugin in plugins for phrase in requirements.lacking(plugin, device)]
        if lacks:
            raise NotRun(f"this environment lacks {', '.join(lacks)}", where="tunesmith plugin check PATH --env isolated")
        paths = [str(self.source.root), *filter(None, [os.environ.get("PYTHONPATH")])]
        return Start(environment={"PYTHONPATH": os.pathsep.join(paths)})

    def _isolated(self, device: str, plugins: Sequence[Plugin]) -> Start:
        environments = environments_of(self.config.environments, self.registry)
        siblings = {normal(plugin.distribution): plugin for plugin in self.registry.plugins}
        required = [siblings[name] for name in map(_name, self.source.dependencies) if name in siblings]
        if requirements.declared(self.plugin):  # it is installed, and the kernel knows whom it requires
            required = []
        recipe = recipe_of(self.registry, [*plugins, *required], device)
        own = [line for line in self.source.dependencies if _name(line) not in siblings]
        recipe = replace(recipe, requirements=tuple(sorted({*recipe.requirements, *own, *self._needed(recipe.requirements)})))
        if self.asked == "auto" and environments.ready(recipe) is None:
            raise NotRun("it runs in an isolated environment, which is not built", where="tunesmith plugin check PATH --env isolated")
        built = self._built = environments.ensure(recipe, Building(self._tell))
        return environments.start(built, replace(recipe, packages={**recipe.packages, **_LINKED}))

    def _needed(self, requirements: Sequence[str]) -> Iterator[str]:
        """What the kit itself needs for the checks of a kind, and in a real step other plugins bring."""
        for record in self.plugin.providers:
            if (line := _NEEDED.get(record.kind)) and _name(line) not in map(_name, requirements):
                yield line

    def libraries(self) -> dict[str, str]:
        """Python and what the plugin asks for, by name, in the versions that its workers had; empty where none was started."""
        if not self._starts:
            return {}
        plugin = self.registry.distribution(self.plugin.distribution)
        recipes = [recipe_of(self.registry, [plugin], device) for device, *_ in self._starts]
        lines = {line for r in recipes for line in (*r.requirements, *r.without_dependencies, *self._needed(r.requirements))}
        named = sorted(map(_name, lines))
        if self._built:
            built = {normal(name): version for name, version in self._built.packages.items()}
            have = {name: built.get(name, "") for name in named}
        else:
            here = requirements.Installed()
            have = {name: here.version(name) for name in named}
        python = self._built.version if self._built else platform.python_version()
        return {"python": python, **{name: version for name, version in have.items() if version}}

    def device(self, record: ProviderRecord) -> str:
        """A device backend of this machine that the provider runs on.

        Raises:
            NotRun: there is none.
        """
        named = [name.partition(".")[2] for name, grade in record.capabilities.items() if name.startswith("device.") and grade != "none"]
        if not named or "cpu" in named:
            return "cpu"
        for backend in self.registry.providers("device_backend").values():
            if backend.name in named and _probe(backend):
                return backend.name
        raise NotRun(f"it runs on {' or '.join(named)}, which this machine has not", where="a machine with such a device")


def _with(installed: Registry, plugin: Plugin, overrides: Mapping[str, str]) -> Registry:
    """What is installed, with the plugin of the source folder in the place of what is installed of it, if anything is."""
    others = [other for other in installed.plugins if normal(other.distribution) != normal(plugin.distribution)]
    return Registry([*others, plugin], overrides)


def _probe(record: ProviderRecord) -> bool:
    from tunesmith.isolation.provider_import import build_provider

    return bool(build_provider(record.target, record.settings, {}, record.distribution).probe())


def _name(requirement: str) -> str:
    from packaging.requirements import Requirement

    return normal(Requirement(requirement).name)
