"""SHA-256 of files, remembered by size and modification time."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

from tunesmith.contracts.step import Step
from tunesmith_file.cache import cache_root, read_cached_json, write_json

_CHUNK = 8 << 20
_RACY = 2.0  # seconds: a file changed so recently may change again with the same time stamp


def sha256_of(path: Path, step: Step, what: str) -> str:
    """Hex digest of the file, from the cache if it was hashed before and has not changed since."""
    stat = path.stat()
    seen = {"path": str(path.absolute()), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "inode": stat.st_ino}
    entry = cache_root() / "file-digests" / (hashlib.sha256(seen["path"].encode("utf-8", "surrogateescape")).hexdigest() + ".json")
    known = read_cached_json(entry)
    if {name: known.get(name) for name in seen} == seen and isinstance(known.get("sha256"), str):
        return known["sha256"]
    digest = hash_file(path, step, what)
    if time.time() - stat.st_mtime > _RACY:
        write_json(entry, seen | {"sha256": digest})
    return digest


def hash_file(path: Path, step: Step, what: str) -> str:
    """Hex digest of the file as it is now; progress goes to the task `what`."""
    digest, done, size = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            step.check_cancelled()
            digest.update(chunk)
            done += len(chunk)
            step.progress(done, size, what=what, unit="B")
    return digest.hexdigest()


def revision_of(files: Mapping[str, str]) -> str:
    """One digest for several files (name -> hex digest)."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()
