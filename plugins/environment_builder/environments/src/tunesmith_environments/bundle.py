"""Wheels and locks to carry to a machine without a network."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from tunesmith.contracts.kinds.environment_builder import Recipe, Watch
from tunesmith.errors import TunesmithError
from tunesmith_environments.installers.pip import Pip
from tunesmith_environments.lock import Lock, file_hashes
from tunesmith_environments.manager import LOCKS, Environments


def bundle(environments: Environments, recipes: Iterable[Recipe], folder: Path, watch: Watch) -> list[Lock]:
    """Put all that the recipes' environments are made of into a folder that `find_links` can name elsewhere.

    What has no wheel is built here; the locks in the folder hold the hashes of the files in it. pip does it, for uv downloads into its
    cache only.

    Raises:
        TunesmithError: TS-ENV-...
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for recipe in recipes:
        lock = environments.lock(recipe, watch)
        interpreter = environments.interpreter(recipe, lock, watch)
        pip = Pip(environments.tools, environments.offline, environments.find_links)
        pip.collect(folder, lock, recipe, watch, interpreter.path)
        packages = tuple(package._replace(hashes=file_hashes(package, [folder])) for package in lock.packages)
        if missing := [package.name for package in packages if not package.hashes]:
            raise TunesmithError(
                "TS-ENV-009", f"pip has put no wheel of {', '.join(missing)} into {folder}", fix="Try again with another version of pip."
            )
        here = dataclasses.replace(lock, packages=packages)
        path = folder / LOCKS / f"{recipe.digest}-{lock.tag}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(here.to_json(), indent=1), encoding="utf-8")
        made.append(here)
    return made
