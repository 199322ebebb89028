"""How the environment of a recipe is: what `tunesmith plugin doctor` says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tunesmith.contracts.kinds.environment_builder import Condition, Recipe
from tunesmith.policy import normal
from tunesmith_environments import environment, interpreters, snapshot
from tunesmith_environments.environment import Environment


def examine(directory: Path, recipe: Recipe) -> Condition:
    """
    Args:
        directory: the environments' directory.
    """
    fitting = list(_fitting(directory, recipe))
    build = f"tunesmith env build {' '.join(recipe.plugins)}"
    for one in fitting:
        if wrong := _damage(one):
            fix = f"tunesmith env check {one.key[:8]}; its next use builds it anew, or `{build}` does now"
            return Condition(f"it is damaged: {', '.join(wrong[:3])}", fix, serious=True)
    if fitting:
        return Condition(f"it is built and well ({', '.join(one.key[:8] for one in fitting)})")
    if recipe.python and interpreters.choose(recipe.python) is None:
        fix = f"Install a Python {recipe.python}; where there is a network, uv fetches one by itself."
        return Condition(f"no Python {recipe.python} is on this machine to build it with", fix, serious=True)
    return Condition("it is not built yet", f"{build} (or the first run that needs it builds it)")


def _fitting(directory: Path, recipe: Recipe) -> Iterator[Environment]:
    """The environments that have served the recipe's plugins as they are now; other plugins of the same steps may have asked for more."""
    plugins = set(map(normal, recipe.plugins))
    for one in environment.built(directory):
        mine = plugins <= set(map(normal, one.plugins))
        if mine and one.accelerator == recipe.accelerator and set(recipe.requirements) <= set(one.requirements):
            yield one


def _damage(one: Environment) -> list[str]:
    return [] if snapshot.unchanged(one.path) else snapshot.damage(one.path, one.site, dict(one.packages))
