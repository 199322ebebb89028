"""The cache of the hub's own library, which is read and never written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tunesmith_hubs import HubAddress, HubFile, Listing
from tunesmith_huggingface.environment_variables import hub_cache


def copies(repo: str, file: HubFile) -> Iterable[Path]:
    """The file there, unverified; none if it is not there whole."""
    path = _folder(repo) / "blobs" / file.digest
    try:
        return (path,) if path.stat().st_size == file.size else ()
    except OSError:
        return ()


def listing(address: HubAddress) -> Listing | None:
    """A snapshot there: its files are links to blobs, which are named by their hash."""
    folder = _folder(address.repo)
    try:
        commit = address.revision if address.pinned else (folder / "refs" / address.revision).read_text("utf-8").strip()
        snapshot = folder / "snapshots" / commit
        files = {}
        for path in sorted(snapshot.rglob("*")):
            digest = path.resolve().name
            if path.is_file() and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", digest):
                files[path.relative_to(snapshot).as_posix()] = HubFile(path.stat().st_size, digest, git=len(digest) == 40)
        return Listing(commit, files) if files else None
    except (OSError, ValueError):
        return None


def _folder(repo: str) -> Path:
    kind = "" if repo.startswith("datasets/") else "models--"
    return hub_cache() / (kind + repo.replace("/", "--"))
