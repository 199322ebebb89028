"""SHA-256 of the user's own files, remembered for as long as a file looks untouched."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Protocol

from tunesmith.running.durable import write_atomically
from tunesmith.running.hashing import canonical, file_sha256, files_sha256

_SETTLED = 2.0  # seconds: a file touched just now may be touched again within the same tick of its clock


class _Caches(Protocol):
    @property
    def cache(self) -> Path: ...


class FileDigests:
    """Callable: path -> ``sha256:...`` of a file's content, or of a directory's (names and contents of all files in it)."""

    def __init__(self, config: _Caches) -> None:
        self._root = config.cache / "digests"

    def __call__(self, path: Path) -> str:
        path = Path(path).resolve()
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            names = [file.relative_to(path).as_posix() for file in files]
            listing = list(zip(names, files_sha256(files), strict=True))
            return "sha256:" + hashlib.sha256(canonical(listing)).hexdigest()
        stat = path.stat()
        seen = [stat.st_mtime_ns, stat.st_size, stat.st_ino]
        note = self._root / hashlib.sha256(os.fsencode(path)).hexdigest()
        try:
            known = json.loads(note.read_text())
            if known["seen"] == seen:
                return str(known["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        digest = "sha256:" + file_sha256(path)
        if time.time() - stat.st_mtime > _SETTLED:
            with contextlib.suppress(OSError):  # without the note it is hashed again next time
                write_atomically(note, json.dumps({"seen": seen, "digest": digest}))
        return digest
