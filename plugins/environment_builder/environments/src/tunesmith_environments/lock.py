"""A lock: the packages of an environment, each in one version with the hashes of its files. Data, whichever installer made it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.policy import normal

VERSION = 1  # of the file's form
_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Package(NamedTuple):
    """One distribution. `hashes`: SHA-256 of its files, any of which may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Lock:
    """What an environment consists of.

    Args:
        packages: sorted by name.
        python: full version of the interpreter that it was resolved for.
        tag: that interpreter's implementation, version and platform (see `Interpreter.tag`).
        made_by: the installer and its version, for information.
    """

    packages: tuple[Package, ...]
    python: str
    tag: str
    made_by: str = ""

    @property
    def text(self) -> str:
        """The packages as a requirements file with hashes, which both installers read."""
        return "".join(
            f"{package.name}=={package.version}" + "".join(f" \\\n    --hash=sha256:{digest}" for digest in package.hashes) + "\n"
            for package in self.packages
        )

    @property
    def digest(self) -> str:
        """SHA-256 of what will be installed, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        packages = [{"name": package.name, "version": package.version, "sha256": package.hashes} for package in self.packages]
        return {"version": VERSION, "python": self.python, "tag": self.tag, "made_by": self.made_by, "packages": packages}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Lock:
        """
        Raises:
            ValueError: if it is no lock, or of another version.
        """
        try:
            if data["version"] != VERSION:
                raise ValueError(f"a lock of version {data['version']}")
            packages = [Package(str(entry["name"]), str(entry["version"]), tuple(map(str, entry["sha256"]))) for entry in data["packages"]]
            return Lock(tuple(packages), str(data["python"]), str(data["tag"]), str(data["made_by"]))
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"no lock: {error!r}") from None


def read_lock(path: Path) -> Lock | None:
    """The lock in a file; None if there is none that can be read."""
    try:
        return Lock.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def from_requirements(text: str) -> list[Package]:
    """Packages of a requirements file as `uv pip compile --generate-hashes` writes it."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        pinned = _PINNED.match(line.strip())
        if pinned:
            found.append(Package(normal(pinned[1]), pinned[2], tuple(sorted(_HASH.findall(line)))))
    return found


def from_report(report: Mapping[str, Any]) -> list[Package]:
    """Packages of a report of `pip install --dry-run --report`."""
    return [
        Package(normal(entry["metadata"]["name"]), entry["metadata"]["version"], _hashes(entry["download_info"]))
        for entry in report["install"]
    ]


def _hashes(download: Mapping[str, Any]) -> tuple[str, ...]:
    archive = download.get("archive_info", {})
    digest = archive.get("hashes", {}).get("sha256") or archive.get("hash", "").partition("sha256=")[2]
    return (digest,) if digest else ()


def file_hashes(package: Package, folders: Iterable[Path]) -> tuple[str, ...]:
    """SHA-256 of the files of a package in folders of wheels."""
    found: set[str] = set()
    for path in (path for folder in folders if folder.is_dir() for path in folder.iterdir()):
        name, version = file_identity(path.name)
        if (normal(name), version) == package[:2]:
            with open(path, "rb") as file:
                found.add(hashlib.sha256(file.read()).hexdigest())
    return tuple(sorted(found))


def file_identity(name: str) -> tuple[str, str]:
    """Name and version that a wheel's or source archive's file name tells; empty for other files."""
    if name.endswith(".whl"):
        return (*name.split("-")[:2], "", "")[:2]  # type: ignore[return-value]
    stem = name.removesuffix(".tar.gz").removesuffix(".zip")
    distribution, _, version = stem.rpartition("-")
    return (distribution, version) if stem != name else ("", "")


def merged(resolved: Iterable[Package], on_top: Iterable[Package], absent: Iterable[str]) -> tuple[Package, ...]:
    """All packages in one list; what is installed without looking at its requirements has the last word about its version."""
    packages = {package.name: package for package in (*resolved, *on_top) if package.name not in set(map(normal, absent))}
    return tuple(packages[name] for name in sorted(packages))
