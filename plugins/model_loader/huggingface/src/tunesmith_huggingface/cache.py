"""What is on this machine already: our cache, and, for reading only, that of the hub's own library.

Ours, below ``$TUNESMITH_CACHE/huggingface``: ``blobs/<digest>`` (whole and verified), ``partial/`` (arriving), ``models/<org--name>/`` with
``refs/<revision>.json`` (which commit a revision was) and ``<commit>.json`` (its files). All of it can be deleted at any time.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from tunesmith_file.api import cache_root, read_cached_json, write_json
from tunesmith_huggingface.environment_variables import hub_cache
from tunesmith_huggingface.repository_files import HubFile, Listing
from tunesmith_huggingface.uri import HubURI


def root() -> Path:
    return cache_root() / "huggingface"


def blob(file: HubFile) -> Path:
    """Where our copy of a file lies, or will."""
    return root() / "blobs" / file.digest


def remember(uri: HubURI, listing: Listing) -> None:
    """Keep what the hub said about a revision, for the time when it can't be asked."""
    folder = _folder(uri)
    write_json(folder / f"{listing.commit}.json", listing.to_json())
    write_json(folder / "refs" / f"{quote(uri.revision, safe='')}.json", {"commit": listing.commit})


def remembered(uri: HubURI) -> Listing | None:
    """The last that is known of a revision: from our cache, else from the other one."""
    commit = uri.revision if uri.pinned else read_cached_json(_folder(uri) / "refs" / f"{quote(uri.revision, safe='')}.json").get("commit")
    known = read_cached_json(_folder(uri) / f"{commit}.json") if commit else {}
    try:
        return Listing.from_json(known) if known else _foreign_listing(uri)
    except (KeyError, TypeError):
        return None


def foreign_blob(repo: str, file: HubFile) -> Path | None:
    """The file in the cache of the hub's own library, unverified; None if it is not there whole."""
    path = _foreign(repo) / "blobs" / file.digest
    try:
        return path if path.stat().st_size == file.size else None
    except OSError:
        return None


def _folder(uri: HubURI) -> Path:
    return root() / "models" / uri.repo.replace("/", "--")


def _foreign(repo: str) -> Path:
    return hub_cache() / ("models--" + repo.replace("/", "--"))


def _foreign_listing(uri: HubURI) -> Listing | None:
    """A snapshot there: its files are links to blobs, which are named by their hash."""
    folder = _foreign(uri.repo)
    try:
        commit = uri.revision if uri.pinned else (folder / "refs" / uri.revision).read_text("utf-8").strip()
        snapshot = folder / "snapshots" / commit
        files = {}
        for path in sorted(snapshot.rglob("*")):
            digest = path.resolve().name
            if path.is_file() and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", digest):
                files[path.relative_to(snapshot).as_posix()] = HubFile(path.stat().st_size, digest, git=len(digest) == 40)
    except (OSError, ValueError):
        return None
    return Listing(commit, files) if files else None
