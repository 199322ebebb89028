"""Making an environment in its place: install, check, and only then the marker. What fails is deleted."""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path

from tunesmith.contracts.kinds.environment_builder import Recipe, Watch
from tunesmith.errors import TunesmithError
from tunesmith_environments import environment, health_check, snapshot
from tunesmith_environments.disk_space import FreeSpace, no_space
from tunesmith_environments.disk_usage import measure
from tunesmith_environments.environment import Environment
from tunesmith_environments.installers import errors
from tunesmith_environments.installers.choice import Installer
from tunesmith_environments.interpreters import Interpreter
from tunesmith_environments.lock import Lock

_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR)


def build(path: Path, recipe: Recipe, lock: Lock, interpreter: Interpreter, installer: Installer, watch: Watch) -> Environment:
    """Build the environment at `path`, over whatever is there. For the holder of its lock.

    Raises:
        TunesmithError: TS-ENV-..., or what `watch.check` raises; nothing is left then.
    """
    try:
        remove(path)
        return _build(path, recipe, lock, interpreter, installer, watch)
    except BaseException:
        remove(path)
        raise


def _build(path: Path, recipe: Recipe, lock: Lock, interpreter: Interpreter, installer: Installer, watch: Watch) -> Environment:
    began = time.monotonic()
    FreeSpace(path).check_packages(len(lock.packages))
    path.mkdir(parents=True)
    watch.progress("creating", 0, None, "")
    installer.create(path, interpreter, watch)
    (path / "lock.txt").write_text(lock.text, encoding="utf-8")
    installer.install(path, lock, recipe, watch)
    watch.progress("checking", 0, None, "")
    health_check.check_packages(path, lock, recipe)
    facts = health_check.probe(path, recipe, recipe.probes, path.parent, watch)
    snapshot.take(path, environment.site(path, lock.python))
    size, shared = measure(path)
    made = Environment(
        path.name, path, lock.python, recipe.accelerator, recipe.plugins, recipe.requirements + recipe.without_dependencies,
        {package.name: package.version for package in lock.packages}, recipe.probes, facts, lock.made_by, time.time(),
        round(time.monotonic() - began, 2), size, shared, time.time(),
    )  # fmt: skip
    environment.write(made)
    return made


def remove(path: Path) -> None:
    """Delete an environment, its marker first: one that is half deleted is none."""
    (path / environment.MARKER).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():  # something was written into it at the same time
        shutil.rmtree(path)


def disk_error(error: OSError, directory: Path) -> TunesmithError | None:
    """The coded error for trouble with the environments' directory; None for trouble of another kind, such as a closed pipe."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return no_space(directory, os.strerror(error.errno))
    return errors.not_writable(str(error)) if error.errno in _RIGHTS else None
