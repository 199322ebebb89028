"""The environments that a run's steps need: resolved before a key is computed, built before the first step, checked at each use.

So a run that can't have an environment says so at once, not after hours of training (law L4).
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from tunesmith.config import EnvironmentSettings
from tunesmith.contracts.kinds.environment_builder import Environment, EnvironmentDirectory, Recipe, Start
from tunesmith.errors import UserError
from tunesmith.planning.plan import PlannedStep
from tunesmith.running.journal.plan_file import write_plan
from tunesmith.running.run_context import RunContext
from tunesmith.running.steps.cached_results import standing

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

_NOT_STARTED = ("TS-RUN-001", "TS-RUN-011", "TS-RUN-017")  #: how a damaged environment shows


class _Watch:
    """What happens to an environment, told to whoever watches the run; `began` is when there was first something to tell."""

    def __init__(self, context: RunContext, name: str) -> None:
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


def environments_of(settings: EnvironmentSettings, registry: Registry) -> EnvironmentDirectory:
    """The environments that the configuration names, by its builder. Imports that: for when an environment is needed.

    Raises:
        UserError: TS-ENV-015 when no builder is installed, TS-PLUGIN-001 when the one that is named is not, TS-PLUGIN-021 when its settings
            are wrong.
    """
    from tunesmith.contracts.settings import problems
    from tunesmith.isolation.provider_import import build_provider
    from tunesmith.planning.placement.environments import builder_of

    record = builder_of(registry, settings.builder)
    if wrong := [f"`{where}` {sentence}" for where, sentence in problems(record.schema or {}, settings.settings)]:
        what = f"the settings of the environment builder `{record.name}` below [environments]: {'; '.join(wrong)}"
        raise UserError("TS-PLUGIN-021", what, fix="Correct the configuration file.")
    builder = build_provider(record.target, record.settings, settings.settings, record.distribution)
    return builder.open(settings.directory, settings.offline, settings.find_links)


def resolve_environments(context: RunContext, keep_serving: bool, refresh: bool) -> None:
    """Resolve the environments of the plan's steps and their executors, which gives steps their keys; build those of steps that will run.

    Raises:
        TunesmithError: TS-ENV-... when one can't be had.
        Cancelled: the run was asked to stop.
    """
    recipes = {recipe.digest: recipe for step in context.plan.steps for recipe in (step.recipe, step.launcher) if recipe}
    if not recipes:
        return
    environments = context.environments
    keys: dict[str, str] = {}
    for digest, recipe in recipes.items():
        keys[digest] = environments.key(recipe) or _resolved(context, recipe)
    steps = tuple(dataclasses.replace(s, lock=keys[s.recipe.digest]) if s.recipe else s for s in context.plan.steps)
    context.plan = dataclasses.replace(context.plan, steps=steps)
    write_plan(context.plan, context.run.directory)
    done = {} if refresh else standing(context.plan, context.home)[0]
    read = {source.step for step in steps for source in step.inputs.values()}
    for step in steps:
        unread = step.verb.service and step.name not in read and not keep_serving
        if not done.get(step.name) and not unread:
            for recipe in filter(None, (step.recipe, step.launcher)):
                ensure(context, recipe)


def ensure(context: RunContext, recipe: Recipe) -> Environment:
    """The environment of a recipe, built if it is not there."""
    watch = _Watch(context, _name(recipe))
    built = context.environments.ensure(recipe, watch)
    if watch.began is not None:
        context.reporter.environment_ready(_name(recipe), built.key, built.size, time.monotonic() - watch.began)
    return built


def start_of(context: RunContext, recipe: Recipe | None) -> Start:
    """How workers are started in the environment of a recipe; in the host's without one."""
    return Start() if recipe is None else context.environments.start(ensure(context, recipe), recipe)


def fix(context: RunContext, step: PlannedStep, code: str) -> bool:
    """Whether a worker failed because its environment is damaged; the next `start_of` then builds it anew."""
    if step.recipe is None or code not in _NOT_STARTED:
        return False
    built = context.environments.ready(step.recipe)
    wrong = context.environments.verify(built) if built else []
    if wrong:
        context.decide(step.name, f"build {_name(step.recipe)} anew and try again", f"it is damaged: {', '.join(wrong[:3])}")
    return bool(wrong)


def _resolved(context: RunContext, recipe: Recipe) -> str:
    context.environments.lock(recipe, _Watch(context, _name(recipe)))
    key = context.environments.key(recipe)
    assert key is not None
    return key


def _name(recipe: Recipe) -> str:
    """What a person calls it: by the plugins that ask for it."""
    return f"environment of {', '.join(recipe.plugins)}"
