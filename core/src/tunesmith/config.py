"""Where things are kept, and the configuration in force: see `tunesmith.policy` for the files that say it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.errors import Problems, TunesmithError, UserError
from tunesmith.policy import CHOOSING, PROJECT_FILE, Policy, find_policies, matches, names_model, normal

PIPELINE_FILE = "tunesmith.yaml"
HOME = ".tunesmith"
VERIFY_GIB = 4.0
HANG_TIMEOUT = 30.0
_PROJECT = (PIPELINE_FILE, PROJECT_FILE, ".git")  # a folder with one of these is a project of its own


@dataclass(frozen=True)
class EnvironmentSettings:
    """Where isolated environments are for plugins that need one, and how they are made.

    Args:
        builder: the environment builder's name; empty: the one of the highest priority.
        settings: the builder's.
        plugins: distribution -> ``auto``, ``host`` or ``isolated``: counts more than what the plugin says.
    """

    directory: Path
    builder: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    offline: bool = False
    find_links: tuple[Path, ...] = ()
    plugins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """The configuration in force.

    Args:
        home: the project's state (`.tunesmith`): artifacts, runs, journal. It may not exist yet.
        cache: what projects share: plugin discovery, downloads, environments.
        policies: the files that were read, those of the most authority first.
        policy_problems: what is wrong in them. While there is any, no plugin is trusted: see `check`.
        start: what is worked with, a pipeline's file or a folder.
    """

    home: Path
    cache: Path
    policies: tuple[Policy, ...] = ()
    policy_problems: tuple[TunesmithError, ...] = ()
    start: Path = Path()

    @property
    def required(self) -> tuple[str, ...]:
        """Plugins without which nothing may run: ``name`` or ``name==version``."""
        return tuple(dict.fromkeys(pattern for policy in self.policies for pattern in policy.require))

    @property
    def overrides(self) -> Mapping[str, str]:
        """``kind.name`` -> the distribution that wins."""
        return {key: value for policy in self._choosing() for key, value in policy.overrides.items()}

    @property
    def environments(self) -> EnvironmentSettings:
        """What the files say of environments; folders are taken from where the file is."""
        said: dict[str, Any] = {"directory": self.cache / "environments", "plugins": {}}
        links: list[Path] = []
        offline = os.environ.get("TUNESMITH_OFFLINE", "0") not in ("", "0")
        for policy in self._choosing():
            table = dict(policy.environments)
            offline |= table.pop("offline", False)
            links = [*map(policy.place, table.pop("find_links", ())), *links]
            if isinstance(named := table.pop("builder", None), str):
                said |= {"builder": named, "settings": {}}
            elif named:
                ((said["builder"], said["settings"]),) = named.items()
            if "directory" in table:
                table["directory"] = policy.place(table["directory"])
            said |= table | {"plugins": {**said["plugins"], **table.get("plugins", {})}}
        return EnvironmentSettings(**said, offline=offline, find_links=tuple(links))

    @property
    def pipelines(self) -> list[tuple[Path, Mapping[str, Any]]]:
        """What the files say of all pipelines, each with its file; those that count more last."""
        return [(policy.path, policy.pipeline) for policy in self._choosing()]

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders besides their own to which the media of rows and the links of models may lead: below a root of every file that names
        some.
        """
        found: tuple[Path, ...] | None = None
        for policy in self.policies:
            if policy.roots is not None:
                here = [Path(os.path.realpath(root)) for root in policy.roots]
                found = tuple(here) if found is None else tuple(filter(None, (_lower(a, b) for a in found for b in here)))
        return found or ()

    @property
    def group(self) -> str:
        """The group that the home is shared with; empty: nobody's but the user's."""
        named = {policy.group for policy in self.policies if policy.group}
        return named.pop() if len(named) == 1 else ""

    @property
    def verify(self) -> float:
        """Bytes of what a step opens that are hashed before (see `tunesmith.running.store.verification`)."""
        said = [policy.verify_gib for policy in self._choosing() if policy.verify_gib is not None]
        return (said[-1] if said else VERIFY_GIB) * 2**30

    @property
    def hang_timeout(self) -> float:
        """Seconds in which the ranks of a step that do nothing are taken for hanging; 0: never."""
        said = [policy.hang_timeout for policy in self._choosing() if policy.hang_timeout is not None]
        return said[-1] if said else HANG_TIMEOUT

    @property
    def jobs(self) -> int:
        """Steps of a run at a time; 0: as memory, devices and cores allow."""
        said = [policy.jobs for policy in self._choosing() if policy.jobs is not None]
        return said[-1] if said else 0

    def _choosing(self) -> list[Policy]:
        """The policies in the order in which a later one's choice counts more."""
        return sorted(self.policies, key=lambda policy: CHOOSING.index(policy.layer), reverse=True)

    def check(self) -> None:
        """Raise what is wrong in the configuration files, all of it. For every command that does more than look."""
        if self.policy_problems:
            raise Problems(self.policy_problems) if len(self.policy_problems) > 1 else self.policy_problems[0]

    def refusal(self, distribution: str, version: str, contents: Callable[[], str] = str) -> str:
        """Why a plugin may not be used; empty if it may.

        Args:
            contents: gives the digest of the plugin's code; asked only if a pattern that names the plugin has one.
        """
        if self.policy_problems:
            return f"the plugin policy can't be read ({self.policy_problems[0].what}); until it is fixed no plugin is trusted"
        for policy in self.policies:
            for pattern in policy.deny:
                if matches(pattern, distribution, version, contents):
                    return f"denied by `{pattern}` in {policy.path}"
            if policy.allow and not any(matches(pattern, distribution, version, contents) for pattern in policy.allow):
                if any(matches(pattern.partition("@")[0], distribution, version) for pattern in policy.allow):
                    found = contents() or "unreadable"
                    return f"its code is {found}, which is not what {policy.path} allows; review it, then pin it there"
                return f"not among the allowed plugins in {policy.path}; add `{normal(distribution)}` to [plugins] allow to use it"
        return ""

    def check_model(self, uri: str, digest: str = "") -> None:
        """
        Args:
            digest: of its artifact, once it is here; until then its address alone is looked at.

        Raises:
            UserError: TS-MODEL-030 for a model that some file's `models.allow` does not name.
        """
        for policy in self.policies:
            if policy.models and not any(names_model(pattern, uri, digest) for pattern in policy.models):
                what = f"{policy.path} does not allow `{uri}`" + (f" with the files that came, {digest}" if digest else "")
                fix = f'Once it is reviewed, have `"{uri}@{digest}"` written there.' if digest else "Use one that is allowed there."
                raise UserError("TS-MODEL-030", what, fix=fix)


def load_config(start: Path | None = None, home: Path | None = None, beside: Sequence[Path] = ()) -> Config:
    """The configuration for work with `start`: the one place that finds it.

    Args:
        start: a pipeline's file, or a folder (default: the current directory).
        home: the project's state directory; default: $TUNESMITH_HOME, else that of `start` (see `find_home`).
        beside: further files that are read, whose projects' policies count as well.

    Never raises for what the files say: see `Config.policy_problems` and `Config.check`.
    """
    start = (start or Path.cwd()).absolute()
    home = home or find_home(start)
    cache = Path(os.environ.get("TUNESMITH_CACHE") or _base("XDG_CACHE_HOME", ".cache") / "tunesmith")
    user = _base("XDG_CONFIG_HOME", ".config") / "tunesmith" / "config.toml"
    policies, problems = find_policies((start, *beside), home, user)
    return Config(home.absolute(), cache.absolute(), tuple(policies), tuple(problems), start)


def find_home(start: Path | None = None) -> Path:
    """Where the state of the project at `start` (default: the current directory) is or will be: $TUNESMITH_HOME, else `.tunesmith` of the
    nearest folder at or above that has one or is a project of its own, with a pipeline, a `tunesmith.toml` or a `.git`; else a new one in
    `start`. One that another user left above is passed over.
    """
    if os.environ.get("TUNESMITH_HOME"):
        return Path(os.environ["TUNESMITH_HOME"]).absolute()
    start = Path(os.path.abspath(start or Path.cwd()))
    for folder in (start, *start.parents):
        if any(os.path.lexists(folder / name) for name in _PROJECT) or _is_home(folder / HOME):
            return folder / HOME
    return start / HOME


def _is_home(folder: Path) -> bool:
    try:
        user = os.getuid() if hasattr(os, "getuid") else 0
        return folder.is_dir() and user in (0, folder.stat().st_uid)
    except OSError:
        return False


def _lower(one: Path, other: Path) -> Path | None:
    """Of two folders the one that lies in the other; None if neither does."""
    if one == other or other in one.parents:
        return one
    return other if one in other.parents else None


def _base(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default)
