"""Contract of kind ``environment_builder``: makes isolated environments for plugins that can't share the host's.

A builder works in the host's process. A step's cache key holds the key of its environment, and its worker is started there. Of several
builders the one that the configuration names is used (``[environments] builder``), else the one of the highest priority.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol


@dataclass(frozen=True)
class Recipe:
    """What an environment must hold: the union of what the plugins of one step ask for, before anything is resolved.

    It holds third-party packages only. The code of the kernel and of plugins is the host's, put in the way of a worker when it starts: so
    plugins with the same requirements share an environment, and a plugin's new version needs no new one.

    Args:
        requirements: requirement strings, sorted.
        without_dependencies: installed after the others, their own requirements not looked at.
        absent: normalized names of distributions that must not be there.
        python: version specifier of interpreters that all plugins run under; empty if any will do.
        accelerator: name of the device backend that it is for (``cpu``).
        probes: ``module:function`` of the plugins' own health checks.
        packages: import name -> directory or file of the code that workers run: the kernel's and the plugins'.
        plugins: the distributions of those plugins that ask for it, for messages.
    """

    requirements: tuple[str, ...]
    without_dependencies: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    python: str = ""
    accelerator: str = "cpu"
    probes: tuple[str, ...] = ()
    packages: Mapping[str, Path] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """32 hexadecimal digits over what decides which packages are in it."""
        content = [self.requirements, self.without_dependencies, self.absent, self.python, self.accelerator]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


class Environment(Protocol):
    """One that is built, as runs and those who tell of them read it."""

    @property
    def key(self) -> str:
        """A name that only environments with the same packages for the same Python, platform and accelerator have."""

    @property
    def python(self) -> str:
        """Path of its interpreter."""

    @property
    def version(self) -> str:
        """Of its Python."""

    @property
    def packages(self) -> Mapping[str, str]:
        """Name -> version of all that is in it."""

    @property
    def size(self) -> int:
        """Bytes of its files."""


@dataclass(frozen=True)
class Start:
    """How a worker is started: in the host's environment unless told otherwise.

    Args:
        command: a program with its arguments that runs ``tunesmith.isolation.worker``; empty: the host's Python does.
        environment: variables to set on top of the host's.
        without: variables of the host's that it must not have.
    """

    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()


class Condition(NamedTuple):
    """How the environment of a recipe is, for ``tunesmith plugin doctor``.

    Args:
        what: a clause without a full stop: ``it is not built yet``.
        fix: what to do: a command, or a sentence; empty if nothing is.
        serious: something does not work that should.
    """

    what: str
    fix: str = ""
    serious: bool = False


class Watch(Protocol):
    """Who is told how a long work goes on, and may stop it."""

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None:
        """So much of a part of the work is done."""

    def log(self, message: str) -> None:
        """Something that a person should know."""

    def check(self) -> None:
        """Called at least every 0.1 s; raises to cancel."""


class Silent:
    """A watch that tells nobody."""

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None: ...

    def log(self, message: str) -> None: ...

    def check(self) -> None: ...


class EnvironmentDirectory(Protocol):
    """The environments of one directory. Its methods may be called by several processes at once."""

    def key(self, recipe: Recipe) -> str | None:
        """Key of a recipe's environment, whether or not it is built; None while its packages are not resolved. Asks no network."""

    def ready(self, recipe: Recipe) -> Environment | None:
        """The environment of a recipe, if it is built and as it was built."""

    def all(self) -> Sequence[Environment]:
        """All that are built, the last used first."""

    def lock(self, recipe: Recipe, watch: Watch) -> object:
        """Resolve a recipe's packages to exact versions, once; from then on `key` knows the key.

        Raises:
            TunesmithError: the packages can't be had.
        """

    def ensure(self, recipe: Recipe, watch: Watch) -> Environment:
        """The environment of a recipe; resolved, built and its probes passed if it is not there. What is half-built is never given.

        Raises:
            TunesmithError: it can't be made.
            BaseException: what `watch.check` raises to cancel; nothing is left of the environment then.
        """

    def verify(self, built: Environment) -> Sequence[str]:
        """The full check, for when a worker did not start: what is wrong, a clause each. If anything is, the next `ensure` builds anew."""

    def start(self, built: Environment, recipe: Recipe) -> Start:
        """How a worker is started in it: under its Python, with its packages and the recipe's code, and no others."""

    def examine(self, recipe: Recipe) -> Condition:
        """How the environment of a recipe is. Builds nothing and asks no network."""


class EnvironmentBuilder(Protocol):
    def open(self, directory: Path, offline: bool, find_links: Sequence[Path]) -> EnvironmentDirectory:
        """The environments of a directory, which is made when the first of them is.

        Args:
            offline: nothing is asked of the network.
            find_links: folders of wheels to take packages from, before all else.
        """
