"""The distributions of this repository: where each lies, what it requires, and what an installation of some of them brings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tunesmith import toml
from tunesmith.plugins import GROUP

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = ("", "*/", "plugins/*/*/", "contrib/*/")  #: folders with a pyproject.toml of a first-party distribution


@dataclass(frozen=True)
class Distribution:
    name: str
    version: str
    folder: Path
    requires: tuple[str, ...]
    extras: Mapping[str, tuple[str, ...]]
    plugin: bool  #: whether it has an entry point by which the kernel finds it
    prefers_isolation: bool  #: whether that never runs in the host's environment

    @property
    def requirements(self) -> tuple[str, ...]:
        """All that it asks for, with any extra."""
        return (*self.requires, *(line for lines in self.extras.values() for line in lines))


@cache
def distributions() -> dict[str, Distribution]:
    """By name, `tunesmith` first."""
    folders = [path.parent for pattern in PATTERNS for path in sorted(ROOT.glob(f"{pattern}pyproject.toml"))]
    found = [_read(folder) for folder in folders]
    return {one.name: one for one in found}


def brought(lines: Iterable[str]) -> tuple[set[str], list[Requirement]]:
    """What `pip install` of these requirements brings: names of first-party distributions, and what is asked of others.

    Raises:
        KeyError: an extra that a distribution does not have; pip would only warn.
    """
    ours, others, seen = set(), {}, set()
    waiting = [parsed(line) for line in lines]
    while waiting:
        wanted = waiting.pop()
        known = distributions().get(canonicalize_name(wanted.name))
        if not known:
            others[str(wanted)] = wanted
            continue
        ours.add(known.name)
        for part in ("", *wanted.extras):
            if (known.name, part) not in seen:
                seen.add((known.name, part))
                waiting += [parsed(line) for line in (known.extras[part] if part else known.requires)]
    return ours, list(others.values())


@cache
def parsed(line: str) -> Requirement:
    return Requirement(line)


def _read(folder: Path) -> Distribution:
    data = toml.read(folder / "pyproject.toml")
    project: dict[str, Any] = data["project"]
    environment = data.get("tool", {}).get("tunesmith", {}).get("environment", {})
    extras = {name: tuple(lines) for name, lines in project.get("optional-dependencies", {}).items()}
    plugin = GROUP in project.get("entry-points", {})
    requires = tuple(project.get("dependencies", ()))
    return Distribution(
        project["name"], project["version"], folder, requires, extras, plugin, environment.get("prefer") == "isolated"
    )  # fmt: skip
