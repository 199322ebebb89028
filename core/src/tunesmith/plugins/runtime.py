"""What a plugin runs on: its ``[runtime]`` extra and the rest that it requires, as installed here.

Found from the metadata on disk; nothing is imported. Discovery keeps the answers in its cache.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.config import normal
from tunesmith.errors import UserError
from tunesmith.plugins import KERNEL, scan
from tunesmith.plugins.records import Plugin

if TYPE_CHECKING:
    from packaging.requirements import Requirement


class Installed:
    """The distributions of this environment, their metadata read when asked for."""

    def __init__(self, folders: Mapping[str, Path] | None = None) -> None:
        self._folders = scan.distributions(scan.search_path()) if folders is None else folders
        self._read: dict[str, tuple[str, list[Requirement]]] = {}

    def version(self, name: str) -> str:
        """Version of a distribution, empty if it is not installed."""
        return self._facts(normal(name))[0]

    def requirements(self, name: str, extras: frozenset[str] = frozenset()) -> Iterator[Requirement]:
        """What a distribution requires here (markers taken into account), with those of its extras."""
        for requirement in self._facts(normal(name))[1]:
            if _applies(requirement, extras):
                yield requirement

    def _facts(self, name: str) -> tuple[str, list[Requirement]]:
        if name not in self._read:
            fields = scan.metadata(self._folders[name]) if name in self._folders else {}
            wanted = [_parsed(line) for line in fields.get("requires-dist", ())]
            self._read[name] = (fields.get("version", [""])[0], [requirement for requirement in wanted if requirement])
        return self._read[name]


def missing(plugin: Plugin, installed: Installed | None = None) -> list[str]:
    """Requirements of the plugin that this environment does not meet, as requirement strings; empty if it can run here."""
    if plugin.fingerprint and installed is None:
        return list(plugin.missing)
    installed = installed or Installed()
    seen: set[str] = set()
    return [str(requirement) for requirement in _direct(plugin, installed, seen) if not _met(requirement, installed)]


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
    waiting = list(_direct(plugin, installed, set()))
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
    lines = [f"{name}=={version}" for name, version in sorted(versions.items())]
    lines.append(f"{sys.implementation.cache_tag} {sys.platform} {platform.machine()}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def missing_error(plugin: Plugin) -> UserError:
    """The error of planning with a plugin whose runtime is not installed."""
    what = f"{plugin.distribution} can't run here: {', '.join(missing(plugin))} missing"
    return UserError("TS-PLUGIN-010", what, why="a plugin's heavy libraries are in its [runtime] extra", fix=install_hint(plugin))


def install_hint(plugin: Plugin) -> str:
    return f"pip install '{plugin.distribution}{'[runtime]' if plugin.runtime else ''}'"


def _direct(plugin: Plugin, installed: Installed, seen: set[str]) -> Iterator[Requirement]:
    """The plugin's own requirements, its runtime extra's, and those of extras that these name."""
    from itertools import chain

    declared = (requirement for requirement in map(_parsed, plugin.runtime) if requirement and _applies(requirement))
    mine = () if plugin.distribution == KERNEL else installed.requirements(plugin.distribution)
    own = (requirement for requirement in mine if normal(requirement.name) != KERNEL)
    waiting = list(chain(own, declared))
    while waiting:
        requirement = waiting.pop(0)
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        yield requirement
        if requirement.extras:
            always = {str(r) for r in installed.requirements(requirement.name)}
            extra = installed.requirements(requirement.name, frozenset(requirement.extras))
            waiting += [r for r in extra if str(r) not in always]


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


def _parsed(line: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement:  # of an old distribution; pip passes over it, too
        return None
