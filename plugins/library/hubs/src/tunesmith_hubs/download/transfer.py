"""One file on its way: where it comes from, where it goes, and how far its hash is known."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith_hubs.cache.digests import git_header
from tunesmith_hubs.download.partial_file import Part, PartFile
from tunesmith_hubs.hub import Source
from tunesmith_hubs.listing import HubFile

_CHUNK = 4 << 20


class RunningHash:
    """The hash of a file that arrives in any order: of its beginning as far as that is whole, so that little is left to read at the end.

    Args:
        pinned: SHA-256 that the file had when it first came, of one that its hub gives no digest.
    """

    def __init__(self, file: HubFile, pinned: str = "") -> None:
        self._file, self._position, self._lock = file, 0, threading.Lock()
        self._digest = file.digest or pinned
        self._hashes: list[Any] = [hashlib.sha256()]
        if file.git:
            self._hashes.append(hashlib.sha1(git_header(file.size), usedforsecurity=False))

    def advance(self, path: Path, parts: Sequence[Part], wait: bool = False) -> None:
        """Read on to the first gap; nothing if another thread is at it, unless `wait`."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            end = next((part.start for part in parts if not part.complete), self._file.size)
            if end <= self._position:
                return
            with path.open("rb") as source:
                source.seek(self._position)
                while self._position < end and (data := source.read(min(_CHUNK, end - self._position))):
                    for one in self._hashes:
                        one.update(data)
                    self._position += len(data)
        finally:
            self._lock.release()

    def sha256(self) -> str:
        return str(self._hashes[0].hexdigest())

    def matches(self) -> bool:
        """Whether what was read is the whole file, and the one that it must be, as far as that is known."""
        return self._position == self._file.size and (not self._digest or self._hashes[-1].hexdigest() == self._digest)


@dataclass
class Transfer:
    """A file.

    Args:
        name: for progress and messages.
        sources: the places that have it, the best first.
    """

    name: str
    file: HubFile
    sources: Sequence[Source]
    parts: PartFile | None = None
    finished: bool = False
    reported: int = 0
    hash: RunningHash | None = None
    blob: Path | None = None  #: where it is, once it is whole and verified
    failure: Exception | None = None  #: of the first place that failed
    receiving: int = 0  #: parts that threads have not left yet
    _at: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _claim: threading.Lock = field(default_factory=threading.Lock)

    @property
    def received(self) -> int:
        return self.file.size if self.finished else self.parts.done if self.parts else 0

    @property
    def source(self) -> Source:
        return self.sources[self._at]

    def leave(self, failed: Source) -> bool:
        """Go on from the next place, if `failed` is still the one in use; whether there is another one."""
        with self._lock:
            if self.source is failed and self._at + 1 < len(self.sources):
                self._at += 1
            return self.source is not failed

    def leave_part(self) -> None:
        """A thread has received all of its part."""
        with self._lock:
            self.receiving -= 1

    def claim_verification(self) -> bool:
        """True for just one of the threads that find the file complete. All have left their parts by then: one that were still at a part
        would take its being fetched anew for a connection that ended early, and write into it as well."""
        with self._lock:
            return self.receiving == 0 and self._claim.acquire(blocking=False)
