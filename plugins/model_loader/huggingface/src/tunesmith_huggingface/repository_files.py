"""The files of one commit of a repository, with the hash of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HubFile:
    """A file of a repository.

    Args:
        digest: hex; SHA-256 of the contents, or, where `git` is set, the SHA-1 that git gives a blob (small files have only this).
    """

    size: int
    digest: str
    git: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"size": self.size, "digest": self.digest, "git": self.git}


@dataclass(frozen=True)
class Listing:
    """A repository at a commit."""

    commit: str
    files: Mapping[str, HubFile]

    def to_json(self) -> dict[str, Any]:
        return {"commit": self.commit, "files": {name: file.to_json() for name, file in self.files.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Listing:
        return cls(data["commit"], {name: HubFile(**file) for name, file in data["files"].items()})

    @classmethod
    def from_hub(cls, answer: Mapping[str, Any]) -> Listing:
        """From ``/api/models/{repo}/revision/{revision}?blobs=true``. KeyError, TypeError or ValueError if it is not that."""
        files = {}
        for entry in answer["siblings"]:
            name, lfs = str(entry["rfilename"]), entry.get("lfs")
            if lfs:
                file = HubFile(int(lfs["size"]), str(lfs["sha256"]))
            else:
                file = HubFile(int(entry["size"]), str(entry["blobId"]), git=True)
            # Names and hashes become paths here: nothing that a server says may lead out of the cache.
            if ".." in name.split("/") or name.startswith("/") or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", file.digest):
                raise ValueError(name)
            files[name] = file
        commit = str(answer["sha"])
        if not re.fullmatch(r"[0-9A-Za-z]+", commit):
            raise ValueError(commit)
        return cls(commit, files)
