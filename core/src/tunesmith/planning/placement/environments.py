"""Where a step runs: in the host's environment or in an isolated one, with the reason; and what that enters into its cache key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tunesmith
from tunesmith.contracts.kinds.environment_builder import EnvironmentDirectory, Recipe
from tunesmith.errors import UserError
from tunesmith.planning.pipeline.step_syntax import AUTO, HOST, ISOLATED
from tunesmith.planning.plan import PlannedStep
from tunesmith.plugins import KERNEL, requirements
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.policy import normal

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from tunesmith.plugins.registry import Registry


BUILDER = "environment_builder"  #: the kind
RUNTIME = "runtime"  #: the extra that names what a plugin's work needs


class Environments:
    """Decides for the steps of one plan.

    Args:
        preferences: distribution -> ``auto``, ``host`` or ``isolated``, from the user's configuration.
        locks: gives the environments that exist, asked for if a step needs one; None: nothing is known of them.
    """

    def __init__(
        self, registry: Registry, preferences: Mapping[str, str] | None = None, locks: Callable[[], EnvironmentDirectory] | None = None
    ) -> None:
        self.registry, self._locks = registry, locks
        self._preferences = {normal(name): wanted for name, wanted in (preferences or {}).items()}
        self._recipes: dict[tuple[tuple[str, ...], str], Recipe] = {}
        self._fingerprints: dict[str, str] = {}  # by module: of a plugin that is editable all files are read

    @cached_property
    def locks(self) -> EnvironmentDirectory | None:
        return self._locks() if self._locks else None

    def placed(self, step: PlannedStep, asked: str = AUTO, **changes: Any) -> PlannedStep:
        """The step with its environment.

        Args:
            asked: the step's own `env`.

        Raises:
            UserError: TS-PLUGIN-010 when it is to run in the host's environment and can't, TS-ENV-015 when it is to run in an isolated one
                and nothing that builds one is installed.
        """
        plugins = self.plugins(step)
        where, _ = self.place(plugins, step.placement.device, asked)
        if step.executor:
            launching = (self.registry.plugin(step.executor.record),)
            isolated = self.place(launching, "")[0] == ISOLATED
            step = replace(step, launcher=self.recipe(launching, "") if isolated else None)
        if where == HOST:
            marks = sorted({self._fingerprint(plugin) for plugin in plugins})
            return replace(step, environment=_hash(marks), **changes)
        recipe = self.recipe(plugins, step.placement.device)
        marks = sorted({requirements.mark(plugin) for plugin, _ in closure(self.registry, plugins, step.placement.device)})
        return replace(step, environment=_hash(marks), recipe=recipe, lock=(self.locks and self.locks.key(recipe)) or "", **changes)

    def _fingerprint(self, plugin: Plugin) -> str:
        if plugin.module not in self._fingerprints:
            self._fingerprints[plugin.module] = requirements.fingerprint(plugin)
        return self._fingerprints[plugin.module]

    def explain(self, step: PlannedStep, asked: str = AUTO) -> tuple[str, str] | None:
        """What to tell of a step's environment, and the reason; None if it is the usual one."""
        where, reason = self.place(self.plugins(step), step.placement.device, asked)
        if where == HOST:
            return (HOST, reason) if reason else None
        assert step.recipe is not None
        if self.locks is None:
            return ISOLATED, reason
        built = self.locks.ready(step.recipe) is not None
        return (f"{ISOLATED}, {'which is there' if built else 'to be built before the first step'}", reason)

    def place(self, plugins: Iterable[Plugin], device: str, asked: str = AUTO) -> tuple[str, str]:
        """``host`` or ``isolated``, and why; the reason is empty for the usual case that everything is met here.

        Raises:
            UserError: TS-PLUGIN-010, TS-ENV-015 (see `placed`).
        """
        plugins = tuple(plugins)
        lacks = [(plugin, found) for plugin in plugins if (found := requirements.lacking(plugin, device))]
        if asked == ISOLATED:
            return self._isolated(plugins, "the step asks for it")
        wishes = [(plugin, self._preference(plugin)) for plugin in plugins]
        if asked != HOST:
            for plugin, (wish, who) in wishes:
                if wish == ISOLATED:
                    return self._isolated([plugin], f"{who} says so of {plugin.distribution}")
            if lacks and not any(wish == HOST for plugin, (wish, _) in wishes if requirements.lacking(plugin, device)):
                why = "; ".join(f"{plugin.distribution} needs {', '.join(found)}" for plugin, found in lacks)
                return self._isolated([plugin for plugin, _ in lacks], why)
        if lacks:
            raise requirements.missing_error(lacks[0][0], device)
        return HOST, "the step asks for it" if asked == HOST else ""

    def _isolated(self, plugins: Iterable[Plugin], reason: str) -> tuple[str, str]:
        if not self.registry.providers(BUILDER):
            raise no_builder(", ".join(plugin.distribution for plugin in plugins), reason)
        return ISOLATED, reason

    def isolates(self, record: ProviderRecord) -> bool:
        """Whether a provider, by itself, would run in an isolated environment."""
        plugin = self.registry.plugin(record)
        wish = self._preference(plugin)[0]
        return (requirements.place(plugin) if wish == AUTO else wish) == ISOLATED

    def refusal(self, record: ProviderRecord) -> str:
        """Why a provider can run nowhere; empty if it can."""
        plugin = self.registry.plugin(record)
        lacks = requirements.lacking(plugin)
        alone = self._preference(plugin)[0] == HOST or not self.registry.providers(BUILDER)
        return f"lacks {', '.join(lacks)}" if lacks and alone else ""

    def plugins(self, step: PlannedStep) -> tuple[Plugin, ...]:
        """Who takes part in a step, each once."""
        records = (step.verb, *(choice.record for choice in step.choices.values()))
        return tuple({plugin.distribution: plugin for plugin in map(self.registry.plugin, records)}.values())

    def recipe(self, plugins: Iterable[Plugin], device: str) -> Recipe:
        plugins = tuple(plugins)
        key = (tuple(sorted(plugin.distribution for plugin in plugins)), device)
        if key not in self._recipes:
            self._recipes[key] = recipe_of(self.registry, plugins, device)
        return self._recipes[key]

    def _preference(self, plugin: Plugin) -> tuple[str, str]:
        configured = self._preferences.get(normal(plugin.distribution))
        return (configured, "your configuration") if configured else (plugin.environment_spec.prefer, "its manifest")


def builder_of(registry: Registry, name: str = "") -> ProviderRecord:
    """The environment builder that is called `name`, or the one of the highest priority.

    Raises:
        UserError: TS-PLUGIN-001 when there is none of that name, TS-ENV-015 when there is none at all.
    """
    if name:
        return registry.provider(BUILDER, name)
    if found := registry.providers(BUILDER):
        return next(iter(found.values()))
    raise no_builder("a step", "its plan was made where one was")


def no_builder(who: str, reason: str) -> UserError:
    """The error of an environment that nobody builds."""
    return UserError(
        "TS-ENV-015", f"{who} can't have an isolated environment: nothing that builds one is installed", why=reason,
        fix='pip install tunesmith; or install what the plugin needs into this environment, where that can be.',
    )  # fmt: skip


def recipe_of(registry: Registry, plugins: Iterable[Plugin], device: str) -> Recipe:
    """What an environment for these plugins must hold on a device, the plugins that they require included."""
    plugins, installed = tuple(plugins), requirements.Installed()
    everyone = closure(registry, plugins, device)
    siblings = {normal(plugin.distribution) for plugin in registry.plugins}
    asking = [plugin.distribution for plugin in plugins if plugin.runtime or plugin.environment_spec.runtime.get(device)]
    required = (r for plugin, heavy in everyone for r in required_by(plugin, device, heavy, installed))
    wanted = {str(r) for r in required if normal(r.name) not in siblings}
    return Recipe(
        tuple(sorted(wanted)),
        tuple(sorted({line for plugin, _ in everyone for line in plugin.environment_spec.without_dependencies})),
        tuple(sorted({normal(name) for plugin, _ in everyone for name in plugin.environment_spec.absent})),
        ",".join(sorted({part.strip() for plugin, _ in everyone for part in plugin.environment_spec.python.split(",") if part.strip()})),
        device,
        tuple(plugin.environment_spec.probe for plugin, _ in everyone if plugin.environment_spec.probe),
        {"tunesmith": Path(tunesmith.__file__).parent} | {name: path for plugin, _ in everyone for name, path in code_of(plugin)},
        tuple(asking or (plugin.distribution for plugin in plugins)),
    )


def closure(registry: Registry, plugins: Iterable[Plugin], device: str) -> tuple[tuple[Plugin, bool], ...]:
    """Plugins and those among their requirements that are plugins as well, in order of their names; without the kernel, and without
    what only makes environments, for that works in the host.

    Each with whether its runtime is wanted, too: of those that others require, only where they name the extra.
    """
    known = {normal(plugin.distribution): plugin for plugin in registry.plugins if plugin.distribution != KERNEL}
    found: dict[str, bool] = {}
    waiting, installed = [(plugin, True) for plugin in plugins if plugin.distribution != KERNEL], requirements.Installed()
    while waiting:
        plugin, heavy = waiting.pop()
        name = normal(plugin.distribution)
        if found.get(name, -1) >= heavy:
            continue
        found[name] = heavy
        for requirement in required_by(plugin, device, heavy, installed):
            sibling = known.get(normal(requirement.name))
            if sibling and {record.kind for record in sibling.providers} != {BUILDER}:
                waiting.append((sibling, RUNTIME in requirement.extras))
    return tuple((known[name], found[name]) for name in sorted(found))


def required_by(plugin: Plugin, device: str, heavy: bool, installed: requirements.Installed) -> Iterator[Requirement]:
    """A plugin's own requirements and, if `heavy`, its runtime's on a device; those of the kernel left out."""
    from packaging.requirements import Requirement

    heavily = (*plugin.runtime, *plugin.environment_spec.runtime.get(device, ())) if heavy else ()
    lines = [*requirements.declared(plugin, installed), *heavily]
    return (requirement for requirement in map(Requirement, lines) if normal(requirement.name) != KERNEL)


def code_of(plugin: Plugin) -> Iterator[tuple[str, Path]]:
    """Import name and directory of a plugin's package."""
    top = plugin.module.partition(":")[0].partition(".")[0]
    for folder in plugin.path.parents if plugin.path else ():
        if folder.name == top:
            yield top, folder
            return
    raise UserError(
        "TS-PLUGIN-004", f"the package `{top}` of {plugin.distribution} can't be found", fix=f"Install {plugin.distribution} again."
    )


def _hash(marks: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(marks).encode()).hexdigest()[:16]
