"""What publishing would change at a place, and whether it has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith_hubs import HubFile, Published


@dataclass(frozen=True)
class LocalFile:
    path: Path
    size: int
    sha256: str

    def is_there(self, file: HubFile | None) -> bool:
        """Whether the place says that it has this very file."""
        if file is None or file.size != self.size:
            return False
        return self._git() == file.digest if file.git else bool(file.sha256) and file.sha256 == self.sha256

    def _git(self) -> str:
        """The SHA-1 that git gives a blob: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects"""
        return hashlib.sha1(b"blob %d\0" % self.size + self.path.read_bytes(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Changes:
    """Names of files: those that the place lacks, has otherwise, has already, and has besides."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[str, ...]
    other: tuple[str, ...]
    bytes: int

    def to_json(self) -> dict[str, Any]:
        return {
            "new": list(self.new),
            "changed": list(self.changed),
            "same": list(self.same),
            "other": list(self.other),
            "bytes": self.bytes,
        }


def changes(files: Mapping[str, LocalFile], there: Published | None) -> Changes:
    found: Mapping[str, HubFile] = there.files if there else {}
    same = {name for name, file in files.items() if file.is_there(found.get(name))}
    new = files.keys() - found.keys()
    changed = files.keys() - new - same
    size = sum(files[name].size for name in new | changed)
    other = {name for name in found if name not in files}
    return Changes(*(tuple(sorted(names)) for names in (new, changed, same, other)), size)
