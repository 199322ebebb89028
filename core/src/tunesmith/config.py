"""Where things are kept and which plugins may be used: `tunesmith.toml` in a project, `config.toml` of the user.

Both say the same things::

    [plugins]
    allow = ["tunesmith-*"]               # name, or name==version; * ? [] as in a shell. A plugin must pass both files
                                          # name==version@sha256:... : with just this code (`tunesmith plugin info NAME --code` tells it)
    deny = ["tunesmith-loud==0.3.*"]
    require = ["acme-gate", "acme-policy==1.2.*"]  # nothing is planned or run without these: see `tunesmith.plugins.required`

    [plugins.override]                    # who wins where two distributions bring the same name; the project's file counts first
    "adapter.tilt" = "acme-tilt"

    [environments]                        # of plugins that can't share this one
    directory = "/data/environments"      # default: in the user's cache
    installer = "uv"                      # auto, uv, pip
    offline = true                        # also: TUNESMITH_OFFLINE=1
    find_links = ["/data/wheels"]         # folders of wheels

    [environments.plugins]                # auto, host, isolated
    "acme-tilt" = "isolated"
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tunesmith.errors import Problems, TunesmithError, UserError, did_you_mean

PROJECT_FILE = "tunesmith.toml"
_PATTERN = re.compile(r"[A-Za-z0-9._*?\[\]!-]+(==[A-Za-z0-9._*?\[\]!+-]+)?(@sha256:[0-9a-f]{64})?")
_REQUIRED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(==[A-Za-z0-9._*?\[\]!+-]+)?")
_PATTERNS = {"type": "array", "items": {"type": "string"}}
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "plugins": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "allow": _PATTERNS,
                "deny": _PATTERNS,
                "require": _PATTERNS,
                "override": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "environments": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "directory": {"type": "string", "minLength": 1},
                "installer": {"type": "string", "enum": ["auto", "uv", "pip"]},
                "offline": {"type": "boolean"},
                "find_links": _PATTERNS,
                "plugins": {"type": "object", "additionalProperties": {"type": "string", "enum": ["auto", "host", "isolated"]}},
            },
        },
    },
}


@dataclass(frozen=True)
class Policy:
    """What one file says. An empty `allow` allows every plugin that is not denied; `environments` is its table as it is written."""

    path: Path
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, Any] = field(default_factory=dict)
    require: tuple[str, ...] = ()


@dataclass(frozen=True)
class EnvironmentSettings:
    """Where environments of their own are for plugins that need one, and how they are made (see `tunesmith.isolation.environments`).

    Args:
        plugins: distribution -> ``auto``, ``host`` or ``isolated``: counts more than what the plugin says.
    """

    directory: Path
    installer: str = "auto"
    offline: bool = False
    find_links: tuple[Path, ...] = ()
    plugins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """The configuration in force.

    Args:
        home: the project's state (`.tunesmith`): artifacts, runs, journal. It may not exist yet.
        cache: what projects share: plugin discovery, downloads, environments.
        policies: the files that were read, the project's first.
        policy_problems: what is wrong in them. While there is any, no plugin is trusted: see `check`.
    """

    home: Path
    cache: Path
    policies: tuple[Policy, ...] = ()
    policy_problems: tuple[TunesmithError, ...] = ()

    @property
    def allow(self) -> tuple[str, ...]:
        return tuple(pattern for policy in self.policies for pattern in policy.allow)

    @property
    def deny(self) -> tuple[str, ...]:
        return tuple(pattern for policy in self.policies for pattern in policy.deny)

    @property
    def required(self) -> tuple[str, ...]:
        """Plugins without which nothing may run: ``name`` or ``name==version``."""
        return tuple(dict.fromkeys(pattern for policy in self.policies for pattern in policy.require))

    @property
    def overrides(self) -> Mapping[str, str]:
        """``kind.name`` -> the distribution that wins."""
        return {key: value for policy in reversed(self.policies) for key, value in policy.overrides.items()}

    @property
    def environments(self) -> EnvironmentSettings:
        """What the files say of environments, the project's first; folders are taken from where the file is."""
        said: dict[str, Any] = {"directory": self.cache / "environments"}
        links: list[Path] = []
        for policy in reversed(self.policies):
            table = dict(policy.environments)
            links = [policy.path.parent / os.path.expanduser(folder) for folder in table.pop("find_links", ())] + links
            if "directory" in table:
                table["directory"] = policy.path.parent / os.path.expanduser(table["directory"])
            said |= table | {"plugins": {**said.get("plugins", {}), **table.get("plugins", {})}}
        if os.environ.get("TUNESMITH_OFFLINE", "0") not in ("", "0"):
            said["offline"] = True
        return EnvironmentSettings(**said, find_links=tuple(links))

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
            return f"the plugin policy can't be read ({self.policy_problems[0].what}); until it is mended no plugin is trusted"
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


def load_config(start: Path | None = None, home: Path | None = None) -> Config:
    """The configuration for work in `start` (default: the current directory).

    Args:
        home: the project's state directory; default: $TUNESMITH_HOME, the nearest `.tunesmith` at or above `start`, or a new one in it.

    Never raises for what the files say: see `Config.policy_problems` and `Config.check`.
    """
    start = (start or Path.cwd()).absolute()
    above = (start, *start.parents)
    if home is None and os.environ.get("TUNESMITH_HOME"):
        home = Path(os.environ["TUNESMITH_HOME"])
    if home is None:
        home = next((folder / ".tunesmith" for folder in above if (folder / ".tunesmith").is_dir()), start / ".tunesmith")
    cache = Path(os.environ.get("TUNESMITH_CACHE") or _base("XDG_CACHE_HOME", ".cache") / "tunesmith")
    files = [next((folder / PROJECT_FILE for folder in above if (folder / PROJECT_FILE).is_file()), None)]
    files.append(_base("XDG_CONFIG_HOME", ".config") / "tunesmith" / "config.toml")
    policies, problems = [], []
    for path in files:
        if path and path.is_file():
            policy, found = read_policy(path)
            policies.append(policy)
            problems += found
    return Config(home.absolute(), cache.absolute(), tuple(policies), tuple(problems))


def read_policy(path: Path) -> tuple[Policy, list[TunesmithError]]:
    """What a configuration file says of plugins, and everything that is wrong with it."""
    from tunesmith.contracts.settings import problems
    from tunesmith.plugins import toml

    try:
        data = toml.read(path)
    except (OSError, ValueError) as error:
        fix = "Correct the file, or remove it."
        return Policy(path), [UserError("TS-PLUGIN-020", f"{path} can't be read", why=str(error), fix=fix)]
    plugins = data.get("plugins")
    if isinstance(plugins, dict) and isinstance(plugins.get("override"), dict):
        plugins["override"] = _flat(plugins["override"])
    found: list[TunesmithError] = [
        UserError("TS-PLUGIN-021", f"{path}: `{where}` {sentence}", fix="Correct the file.") for where, sentence in problems(_SCHEMA, data)
    ]
    if found:
        return Policy(path), found
    plugins = plugins or {}
    for key in ("allow", "deny"):
        for pattern in plugins.get(key, ()):
            if not _PATTERN.fullmatch(pattern):
                fix = "Write a distribution's name, or name==version; * ? and [] match as in a shell. A pin follows as @sha256:..."
                found.append(UserError("TS-PLUGIN-021", f"{path}: `plugins.{key}` has the pattern {pattern!r}", fix=fix))
    for pattern in plugins.get("require", ()):
        if not _REQUIRED.fullmatch(pattern):
            fix = "Write a distribution's name, or name==version; * ? and [] match as in a shell, in the version only."
            found.append(UserError("TS-PLUGIN-021", f"{path}: `plugins.require` has the entry {pattern!r}", fix=fix))
    found += [problem for key in plugins.get("override", {}) for problem in _override_problems(path, key)]
    allow, deny, require = (tuple(plugins.get(key, ())) for key in ("allow", "deny", "require"))
    return Policy(path, allow, deny, plugins.get("override", {}), data.get("environments", {}), require), found


def _override_problems(path: Path, key: str) -> list[TunesmithError]:
    from tunesmith.contracts.provider import API

    kind, dot, name = key.partition(".")
    if kind in API and dot and name:
        return []
    fix = f'Write "kind.name" = "distribution". {did_you_mean(kind, API)}'
    return [UserError("TS-PLUGIN-021", f"{path}: `plugins.override` has the key {key!r}", fix=fix)]


def matches(pattern: str, distribution: str, version: str, contents: Callable[[], str] = str) -> bool:
    """Whether a pattern of a policy (``name``, ``name==version``, with globs; with ``@sha256:...`` at its end) names a distribution."""
    pattern, _, digest = pattern.partition("@")
    name, _, wanted = pattern.partition("==")
    named = fnmatchcase(normal(distribution), normal(name)) and (not wanted or fnmatchcase(version, wanted))
    return named and (not digest or contents() == digest)


def normal(distribution: str) -> str:
    """A distribution's name in the one spelling of PEP 503: `Acme_Tilt` and `acme-tilt` are the same."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _base(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default)


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """``adapter.tilt`` without quotes is a table in TOML; both spellings mean the same."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{rest}": item for rest, item in _flat(value).items()}
        else:
            flat[key] = value
    return flat
