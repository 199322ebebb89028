"""The environments that a run's steps need: resolved before a key is computed, built before the first step, checked at each use.

So a run that can't have an environment says so at once, not after hours of training (law L4).
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Protocol

from tunesmith.config import EnvironmentSettings
from tunesmith.isolation.environments.recipe import Recipe
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.caching import standing
from tunesmith.running.context import Context
from tunesmith.running.starts import Start

if TYPE_CHECKING:
    from tunesmith.isolation.environments.environment import Environment
    from tunesmith.isolation.environments.manager import Environments

_NOT_STARTED = ("TS-RUN-001", "TS-RUN-011", "TS-RUN-017")  #: how a damaged environment shows


class Places(Protocol):
    """What this needs of the configuration."""

    @property
    def environments(self) -> EnvironmentSettings: ...


class _Watch:
    """What happens to an environment, told to whoever watches the run; `began` is when there was first something to tell."""

    def __init__(self, context: Context, name: str) -> None:
        self._context, self._name = context, name
        self.began: float | None = None

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None:
        if self.began is None:
            self.began = time.monotonic()
            self._context.reporter.environment_started(self._name)
        self._context.reporter.progress(self._name, what, done, total, unit)

    def log(self, message: str) -> None:
        self._context.log("", "warning", f"{self._name}: {message}")

    def check(self) -> None:
        self._context.cancellation.check()


def environments_of(config: Places) -> Environments:
    """The environments that a configuration names."""
    from tunesmith.isolation.environments.manager import Environments

    settings = config.environments
    return Environments(settings.directory, installer=settings.installer, offline=settings.offline, find_links=settings.find_links)


def prepare(context: Context, keep_serving: bool, refresh: bool) -> None:
    """Resolve the environments of the plan's steps, which gives these their keys; build those of steps that will run.

    Raises:
        TunesmithError: TS-ENV-... when one can't be had.
        Cancelled: the run was asked to stop.
    """
    environments = context.environments
    recipes = {step.recipe.digest: step.recipe for step in context.plan.steps if step.recipe}
    if not recipes:
        return
    keys: dict[str, str] = {}
    for digest, recipe in recipes.items():
        keys[digest] = environments.key(recipe) or _resolved(context, recipe)
    steps = tuple(dataclasses.replace(s, lock=keys[s.recipe.digest]) if s.recipe else s for s in context.plan.steps)
    context.plan = dataclasses.replace(context.plan, steps=steps)
    done = {} if refresh else standing(context.plan, context.home)[0]
    read = {source.step for step in steps for source in step.inputs.values()}
    for step in steps:
        unread = step.verb.service and step.name not in read and not keep_serving
        if step.recipe and not done.get(step.name) and not unread:
            ensure(context, step.recipe)


def ensure(context: Context, recipe: Recipe) -> Environment:
    """The environment of a recipe, built if it is not there."""
    watch = _Watch(context, _name(recipe))
    built = context.environments.ensure(recipe, watch)
    if watch.began is not None:
        context.reporter.environment_ready(_name(recipe), built.key, built.size, time.monotonic() - watch.began)
    return built


def start_of(context: Context, step: PlannedStep) -> Start:
    """How the step's workers are started."""
    if step.recipe is None:
        return Start()
    from tunesmith.isolation.environments.environment import UNSET
    from tunesmith.isolation.environments.links import make as make_links

    built = ensure(context, step.recipe)
    links = make_links(context.environments.directory, step.recipe.packages)
    return Start((built.python, str(links)), built.variables(links), tuple(UNSET))


def mend(context: Context, step: PlannedStep, code: str) -> bool:
    """Whether a worker failed because its environment is damaged; the next `start_of` then builds it anew."""
    environments = context.environments
    built = environments.ready(step.recipe) if step.recipe and code in _NOT_STARTED else None
    wrong = environments.verify(built) if built else []
    if wrong:
        assert step.recipe is not None
        context.decide(step.name, f"build {_name(step.recipe)} anew and try again", f"it is damaged: {', '.join(wrong[:3])}")
    return bool(wrong)


def _resolved(context: Context, recipe: Recipe) -> str:
    context.environments.lock(recipe, _Watch(context, _name(recipe)))
    key = context.environments.key(recipe)
    assert key is not None
    return key


def _name(recipe: Recipe) -> str:
    """What a person calls it: by the plugin that asks for it; the kernel's verbs ask for nothing."""
    named = [plugin for plugin in recipe.plugins if plugin != "tunesmith"] or list(recipe.plugins)
    return f"environment of {', '.join(named)}"
