"""The files of a model at one revision of a hub, with what each must be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REVISION = re.compile(r"[0-9A-Za-z:._-]+")


@dataclass(frozen=True)
class HubFile:
    """A file on a hub.

    Args:
        digest: hex; SHA-256 of the contents, or, where `git` is set, the SHA-1 that git gives a blob. Empty where the hub publishes none:
            the file's SHA-256 is then taken when it first comes, and kept.
        version: what the hub calls this state of the file, told again when it is fetched: a commit, an ETag, a time. Where there is no
            digest, two states of a file must differ in it.
    """

    size: int
    digest: str = ""
    git: bool = False
    version: str = ""

    @property
    def key(self) -> str:
        """Names the contents among all files of all hubs, as far as the hub tells."""
        return self.digest or "state-" + hashlib.sha256(f"{self.version}\n{self.size}".encode()).hexdigest()

    @property
    def sha256(self) -> str:
        """As the hub tells it; empty if it does not."""
        return "" if self.git else self.digest

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Listing:
    """A model's files at a revision that never changes.

    Raises:
        ValueError: a name, a digest or a revision that can't be one. They become paths here: nothing that a server says may lead out of the
            cache.
    """

    revision: str
    files: Mapping[str, HubFile]

    def __post_init__(self) -> None:
        if not _REVISION.fullmatch(self.revision):
            raise ValueError(self.revision)
        for name, file in self.files.items():
            parts = name.replace("\\", "/").split("/")
            if not name or ".." in parts or name.startswith(("/", "\\")) or "\0" in name or file.size < 0:
                raise ValueError(name)
            if not (_DIGEST.fullmatch(file.digest) or (not file.digest and file.version)):
                raise ValueError(name)

    def to_json(self) -> dict[str, Any]:
        return {"revision": self.revision, "files": {name: file.to_json() for name, file in self.files.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Listing:
        """KeyError, TypeError or ValueError if it is not one."""
        return cls(data["revision"], {name: HubFile(**file) for name, file in data["files"].items()})


def revision_of_files(files: Mapping[str, HubFile]) -> str:
    """A revision for a hub that has no commits: one digest over names, sizes and what each file must be."""
    lines = "".join(f"{file.key} {file.size} {name}\n" for name, file in sorted(files.items()))
    return "files:" + hashlib.sha256(lines.encode()).hexdigest()
