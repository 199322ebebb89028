"""The environments of one directory: found, locked, built when they are needed, and never twice at a time."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from tunesmith.contracts.kinds.environment_builder import Condition, Recipe, Silent, Start, Watch
from tunesmith.isolation.locks import FileLock
from tunesmith_environments import code_links, environment, environment_status, health_check, interpreters, snapshot
from tunesmith_environments.build import build, disk_error
from tunesmith_environments.environment import Environment
from tunesmith_environments.installers import recipe_files
from tunesmith_environments.installers.choice import Installer, choose
from tunesmith_environments.interpreters import Interpreter
from tunesmith_environments.lock import Lock, read_lock

LOCKS = "locks"  # where locks are, in the directory and in a folder of wheels that was bundled
_WAIT = 0.1  # seconds between two tries for a lock that another process holds


class Environments:
    """
    Args:
        directory: where they are; made when the first is.
        installer: ``auto`` (uv if it can be had), ``uv`` or ``pip``.
        offline: nothing is asked of the network.
        find_links: folders of wheels to take packages from; locks that lie in them count (see bundle.py).
    """

    def __init__(self, directory: Path, *, installer: str = "auto", offline: bool = False, find_links: Sequence[str | Path] = ()) -> None:
        self.directory, self.offline = directory.absolute(), offline
        self.find_links = tuple(os.path.abspath(folder) for folder in find_links)
        self._installer_name = installer

    # --- what is there ------------------------------------------------------------------------------------------------------------

    def key(self, recipe: Recipe) -> str | None:
        """Name of the environment of a recipe; None while it is not locked. Starts no process."""
        lock = self.known_lock(recipe)
        return key_of(lock, recipe.accelerator) if lock else None

    def ready(self, recipe: Recipe) -> Environment | None:
        """The environment of a recipe, if it is built and as it was built."""
        key = self.key(recipe)
        return self._usable(self.directory / key, Silent()) if key else None

    def all(self) -> list[Environment]:
        """All that are built, the last used first. They may have been damaged since."""
        return environment.built(self.directory)

    # --- making it so -------------------------------------------------------------------------------------------------------------

    def ensure(self, recipe: Recipe, watch: Watch | None = None) -> Environment:
        """The environment of a recipe; locked, built and checked if it is not there. May be called by several processes at once.

        Raises:
            TunesmithError: TS-ENV-... when it can't be made.
            BaseException: what `watch.check` raises to cancel.
        """
        watch = watch or Silent()
        recipe_files.check(recipe)
        with self._coded():
            lock = self.lock(recipe, watch)
            path = self.directory / key_of(lock, recipe.accelerator)
            found = self._usable(path, watch)
            if found is None or not set(recipe.probes) <= set(found.probed):
                with self._alone(path.with_suffix(".lock"), watch, "the environment is being built"):
                    found = self._usable(path, watch) or build(
                        path, recipe, lock, self.interpreter(recipe, lock, watch), self.installer, watch
                    )
                    found = self._probed(found, recipe, watch)
            return _used(found, recipe)

    def lock(self, recipe: Recipe, watch: Watch | None = None, upgrade: bool = False) -> Lock:
        """The lock of a recipe: the one there is, or a new one.

        Args:
            upgrade: resolve anew, and forget the one there is.
        """
        watch = watch or Silent()
        known = self.known_lock(recipe)
        if known and not upgrade:
            return known
        recipe_files.check(recipe)
        interpreter = self.interpreter(recipe, None, watch)
        path = self.directory / LOCKS / f"{recipe.digest}-{interpreter.tag}.json"
        with self._coded(), self._alone(path.with_suffix(".lock"), watch, "its packages are being resolved"):
            known = read_lock(path)
            if known is None or upgrade:
                known = self.installer.resolve(recipe, interpreter, watch)
                _write(path, json.dumps(known.to_json(), indent=1))
        return known

    def known_lock(self, recipe: Recipe) -> Lock | None:
        """The lock there is for a recipe and a Python of this machine, in the directory or bundled with wheels."""
        host = interpreters.host()
        folders = [self.directory / LOCKS, *(Path(folder) / LOCKS for folder in self.find_links)]
        if interpreters.suits(host.version, recipe.python):
            found = (read_lock(folder / f"{recipe.digest}-{host.tag}.json") for folder in folders)
        else:
            found = (read_lock(path) for folder in folders for path in sorted(folder.glob(f"{recipe.digest}-*.json"), reverse=True))
        return next(filter(None, found), None)

    def interpreter(self, recipe: Recipe, lock: Lock | None, watch: Watch) -> Interpreter:
        """The Python to resolve for; or with a lock, the one to build with.

        Raises:
            UserError: TS-ENV-005 when there is none.
        """
        if lock:
            found = next((python for python in (interpreters.host(), *interpreters.others()) if python.tag == lock.tag), None)
        else:
            found = interpreters.choose(recipe.python)
        if found:
            return found
        wanted = f"=={'.'.join(lock.python.split('.')[:2])}.*" if lock else recipe.python
        fetched, tried = None, ""
        if fetch := getattr(self.installer, "fetch_python", None):
            fetched, tried = fetch(wanted, watch)
        found = interpreters.ask(fetched) if fetched else None
        if found is None:
            raise interpreters.none_found(wanted, recipe.plugins, tried)
        return found

    def verify(self, built: Environment) -> list[str]:
        """The full check, for when a worker did not start: what is wrong. If anything is, the next `ensure` builds it anew."""
        found = snapshot.damage(built.path, built.site, dict(built.packages))
        if not found and interpreters.ask(Path(built.python)) is None:
            found = ["its Python does not run"]
        if found:
            (built.path / environment.MARKER).unlink(missing_ok=True)
        return found

    def start(self, built: Environment, recipe: Recipe) -> Start:
        """How a worker is started in it: the host's code is linked beside its packages."""
        folder = code_links.make(self.directory, recipe.packages)
        return Start((built.python, str(folder)), built.variables(folder), environment.UNSET)

    def examine(self, recipe: Recipe) -> Condition:
        """How the environment of a recipe is (see condition.py)."""
        return environment_status.examine(self.directory, recipe)

    @cached_property
    def installer(self) -> Installer:
        return choose(self._installer_name, self.tools, self.offline, self.find_links)

    @property
    def tools(self) -> Path:
        """Where installers may leave what they need."""
        path = self.directory / environment.TOOLS
        path.mkdir(parents=True, exist_ok=True)
        return path

    # --- inside -------------------------------------------------------------------------------------------------------------------

    def _usable(self, path: Path, watch: Watch) -> Environment | None:
        """The environment at `path` if it can be used as it is."""
        found = environment.read(path)
        if found is None or snapshot.unchanged(path):
            return found
        wrong = snapshot.damage(path, found.site, dict(found.packages))
        if not wrong:  # something was added, or it was moved with its times changed
            with suppress(OSError):
                snapshot.take(path, found.site)
            return found
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        watch.log(f"the environment {path.name} is damaged ({', '.join(wrong[:3])}{more}): it is built anew")
        return None

    def _probed(self, built: Environment, recipe: Recipe, watch: Watch) -> Environment:
        """An environment that others built has not passed this recipe's probes yet."""
        missing = [probe for probe in recipe.probes if probe not in built.probed]
        if not missing:
            return built
        facts = health_check.probe(built.path, recipe, missing, self.directory, watch)
        return dataclasses.replace(built, probed=(*built.probed, *missing), facts={**built.facts, **facts})

    @contextmanager
    def _coded(self) -> Iterator[None]:
        """Trouble with the directory has a code."""
        try:
            yield
        except OSError as error:
            raise disk_error(error, self.directory) or error from None

    @contextmanager
    def _alone(self, path: Path, watch: Watch, what: str) -> Iterator[None]:
        lock, told = FileLock(path), False
        while not lock.try_acquire():
            if not told:
                watch.log(f"{what} by another process ({lock.holder() or 'unknown'}): waiting for it")
                watch.progress("waiting for another process", 0, None, "")
                told = True
            watch.check()
            time.sleep(_WAIT)
        try:
            yield
        finally:
            lock.release()


def key_of(lock: Lock, accelerator: str) -> str:
    """Name of the environment of a lock: a hash of everything that makes it different from another."""
    from tunesmith.isolation.protocol import VERSION

    content = [lock.digest, lock.tag, accelerator, VERSION]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _used(built: Environment, recipe: Recipe) -> Environment:
    """The environment with this use of it noted."""
    now = time.time()
    plugins = tuple(sorted({*built.plugins, *recipe.plugins}))
    noted = dataclasses.replace(built, plugins=plugins, last_used=now)
    with suppress(OSError):  # one that others made and only they may write is as good
        if noted.to_json() != (environment.read(built.path) or built).to_json():
            environment.write(noted)
        else:
            os.utime(built.path / environment.MARKER, (now, now))
    return noted


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
