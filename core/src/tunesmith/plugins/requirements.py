"""What a plugin runs on: its ``[runtime]`` extras and the rest that it requires, as installed here.

Found from the metadata on disk; nothing is imported. Discovery keeps the answers in its cache.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import UserError
from tunesmith.plugins import KERNEL
from tunesmith.plugins import entry_points as scan
from tunesmith.plugins.records import Plugin, Preference
from tunesmith.policy import normal

if TYPE_CHECKING:
    from packaging.requirements import Requirement


class Installed:
    """The distributions of this environment, their metadata read when asked for."""

    def __init__(self, folders: Mapping[str, Path] | None = None) -> None:
        self._folders = scan.distributions(scan.search_path()) if folders is None else folders
        self._read: dict[str, tuple[str, list[Requirement]]] = {}
        self._applying: dict[tuple[str, frozenset[str]], list[Requirement]] = {}

    def version(self, name: str) -> str:
        """Version of a distribution, empty if it is not installed."""
        return self._facts(normal(name))[0]

    def requirements(self, name: str, extras: frozenset[str] = frozenset()) -> Sequence[Requirement]:
        """What a distribution requires here (markers taken into account), with those of its extras."""
        key = normal(name), extras
        if key not in self._applying:  # many plugins require the same: each is looked at once
            self._applying[key] = [requirement for requirement in self._facts(key[0])[1] if _applies(requirement, extras)]
        return self._applying[key]

    def _facts(self, name: str) -> tuple[str, list[Requirement]]:
        if name not in self._read:
            fields = scan.metadata(self._folders[name]) if name in self._folders else {}
            self._read[name] = fields.get("version", [""])[0], [*filter(None, map(_parsed, fields.get("requires-dist", ())))]
        return self._read[name]


def missing(plugin: Plugin, installed: Installed | None = None) -> Mapping[str, tuple[str, ...]]:
    """What keeps the plugin from running in this environment, a phrase each; by device backend, under ``""`` what does on any."""
    if plugin.fingerprint and installed is None:
        return plugin.missing
    installed = installed or Installed()
    wanted = plugin.environment_spec
    found = {"": [*_unmet(plugin, (*plugin.runtime, *wanted.without_dependencies), installed)]}
    found[""] += [f"no {name} ({installed.version(name)} is installed)" for name in wanted.absent if installed.version(name)]
    found |= {device: [*_unmet(plugin, lines, installed, own=False)] for device, lines in wanted.runtime.items()}
    return {device: tuple(phrases) for device, phrases in found.items() if phrases}


def other_kernel(plugin: Plugin, installed: Installed) -> str:
    """What the plugin's distribution requires of the kernel and this one is not; empty if it is."""
    from tunesmith import __version__

    wanted = installed.requirements(plugin.distribution) if plugin.distribution != KERNEL else ()
    return next((str(r) for r in wanted if normal(r.name) == KERNEL and not r.specifier.contains(__version__, prereleases=True)), "")


def lacking(plugin: Plugin, device: str = "") -> tuple[str, ...]:
    """What keeps the plugin from running in this environment on a device; empty if it can."""
    found = missing(plugin)
    return (*found.get("", ()), *(found.get(device, ()) if device else ()))


def _unmet(plugin: Plugin, lines: Iterable[str], installed: Installed, *, own: bool = True) -> Iterator[str]:
    for requirement in _direct(plugin, lines, installed, own=own):
        if not _met(requirement, installed):
            here, wanted = installed.version(requirement.name), _without_marker(requirement)
            yield f"{wanted} ({here} is installed)" if here else wanted


def fingerprint(plugin: Plugin, installed: Installed | None = None) -> str:
    """Hash of what the plugin runs on, for the cache keys of its steps.

    That is the versions of everything that it requires, directly or not, and of Python; and its own code where that is editable, so
    that an author who changes it is not answered from the cache. The kernel is not in it: what a step's result depends on there is
    the verb, which has a version of its own in the key.
    """
    versions = plugin.fingerprint if plugin.fingerprint and installed is None else _versions(plugin, installed or Installed())
    return _with_code(versions, plugin.path.parent) if plugin.editable and plugin.path else versions


def _with_code(versions: str, folder: Path) -> str:
    import hashlib

    digest = hashlib.sha256(versions.encode())
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts):
        digest.update(f"\0{file.relative_to(folder).as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def _versions(plugin: Plugin, installed: Installed) -> str:
    import hashlib
    import platform

    versions = {normal(plugin.distribution): plugin.version}
    wanted = plugin.environment_spec
    lines = chain(plugin.runtime, wanted.without_dependencies, *wanted.runtime.values())
    waiting = list(_direct(plugin, lines, installed))
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name, extras = normal(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen or name == KERNEL:
            continue
        seen.add((name, extras))
        if installed.version(name):
            versions[name] = installed.version(name)
            waiting += installed.requirements(name, extras)
    found = [f"{name}=={version}" for name, version in sorted(versions.items())]
    found.append(f"{sys.implementation.cache_tag} {sys.platform} {platform.machine()}")
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:32]


def mark(plugin: Plugin) -> str:
    """The plugin's version, and its code where that is editable: what a step in an isolated environment has of the host."""
    version = f"{normal(plugin.distribution)}=={plugin.version}"
    return _with_code(version, plugin.path.parent) if plugin.editable and plugin.path else version


def declared(plugin: Plugin, installed: Installed | None = None) -> list[str]:
    """Requirements of the plugin's distribution itself, without its extras'."""
    return [str(requirement) for requirement in (installed or Installed()).requirements(plugin.distribution)]


def place(plugin: Plugin) -> Preference:
    """Where the plugin runs if nobody says otherwise: ``host`` or ``isolated``."""
    found = missing(plugin)
    devices = plugin.environment_spec.runtime
    unmet = "" in found or (bool(devices) and all(device in found for device in devices))
    return "isolated" if plugin.environment_spec.prefer == "isolated" or (unmet and plugin.environment_spec.prefer == "auto") else "host"


def missing_error(plugin: Plugin, device: str = "") -> UserError:
    """The error of a plugin that is to run in the host's environment and can't."""
    what = f"{plugin.distribution} can't run in this environment: it needs {', '.join(lacking(plugin, device))}"
    return UserError("TS-PLUGIN-010", what, why="A plugin's heavy libraries are in its [runtime] extra.", fix=f"{install_hint(plugin)}")


def install_hint(plugin: Plugin) -> str:
    return f"pip install '{plugin.distribution}{'[runtime]' if plugin.runtime else ''}'"


def _direct(plugin: Plugin, lines: Iterable[str], installed: Installed, *, own: bool = True) -> Iterator[Requirement]:
    """The requirements in `lines`, the plugin's own, and those of extras that these name, each once."""
    declared = (requirement for requirement in map(_parsed, lines) if requirement and _applies(requirement))
    mine = installed.requirements(plugin.distribution) if own and plugin.distribution != KERNEL else ()
    waiting = list(chain((requirement for requirement in mine if normal(requirement.name) != KERNEL), declared))
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop(0)
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        yield requirement
        if requirement.extras:
            always = {str(r) for r in installed.requirements(requirement.name)}
            waiting += [r for r in installed.requirements(requirement.name, frozenset(requirement.extras)) if str(r) not in always]


def _without_marker(requirement: Requirement) -> str:
    """As a user would install it: that it applies here is known already."""
    plain = copy(requirement)
    plain.marker = None
    return str(plain)


def _met(requirement: Requirement, installed: Installed) -> bool:
    from packaging.version import InvalidVersion

    version = installed.version(requirement.name)
    try:
        return bool(version) and requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:  # a version that no specifier can judge: it is there, so let it be tried
        return True


def _applies(requirement: Requirement, extras: frozenset[str] = frozenset()) -> bool:
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    try:
        return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""})
    except (UndefinedComparison, UndefinedEnvironmentName):  # a marker that says nothing about any environment
        return False


@cache  # every second distribution has the same
def _parsed(line: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement:  # of an old distribution; pip passes over it, too
        return None
