"""A file that arrives in parts, in any order, and survives the death of the process at any moment.

Beside ``NAME`` (of full size from the start, so with holes) lies ``NAME.parts``: for each part how many of its bytes have arrived and their
CRC-32. The bytes are written before the record, so a killed process loses at most the chunk it was writing. When the machine itself dies, a
record may have reached the disk and its bytes not: so the CRC is checked when a file is taken up again.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"TSPARTS1"
_HEAD = struct.Struct("<8sQQ")  # magic, size of the file, size of a part
_RECORD = struct.Struct("<QI")  # bytes done, CRC-32 of them
_CHUNK = 4 << 20


@dataclass
class Part:
    """Bytes `start` up to `end` (exclusive) of the file."""

    index: int
    start: int
    end: int
    done: int = 0
    crc: int = 0

    @property
    def complete(self) -> bool:
        return self.start + self.done == self.end


class PartFile:
    """Open for writing by several threads, each with a part of its own.

    Args:
        part_size: of a new file; one that is taken up again keeps its own.
    """

    def __init__(self, path: Path, size: int, part_size: int) -> None:
        self.path, self.size = path, size
        self.records = path.with_name(path.name + ".parts")
        self._lock = threading.Lock()
        known = self._known()
        if known is None:
            self.records.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        part_size, done = known or (part_size, [])
        self.parts = [Part(i, start, min(start + part_size, size)) for i, start in enumerate(range(0, size, part_size))]
        for part, (count, crc) in zip(self.parts, done, strict=False):
            part.done, part.crc = count, crc
        self._data = open(path, "r+b" if known else "w+b", buffering=0)  # noqa: SIM115 - closed by `close`
        self._log = open(self.records, "r+b" if known else "w+b", buffering=0)  # noqa: SIM115
        if known is None:
            self._data.truncate(size)
            self._log.write(_HEAD.pack(_MAGIC, size, part_size) + _RECORD.pack(0, 0) * len(self.parts))
        self._check()

    @property
    def done(self) -> int:
        return sum(part.done for part in self.parts)

    def write(self, part: Part, data: bytes) -> None:
        """Add bytes at the end of what the part has."""
        if part.start + part.done + len(data) > part.end:
            raise ValueError("more bytes than the part has room for")
        with self._lock:
            self._data.seek(part.start + part.done)
            view = memoryview(data)
            while view:
                view = view[self._data.write(view) :]
        part.crc = zlib.crc32(data, part.crc)
        part.done += len(data)
        self._record(part)

    def restart(self, part: Part) -> None:
        """Forget what the part has."""
        part.done = part.crc = 0
        self._record(part)

    def finish(self, target: Path) -> None:
        """Make the complete file `target`, durably, and remove the records."""
        os.fsync(self._data.fileno())
        self.close()
        os.replace(self.path, target)
        self.records.unlink(missing_ok=True)

    def close(self) -> None:
        self._data.close()
        self._log.close()

    def _record(self, part: Part) -> None:
        with self._lock:
            self._log.seek(_HEAD.size + part.index * _RECORD.size)
            self._log.write(_RECORD.pack(part.done, part.crc))

    def _known(self) -> tuple[int, list[tuple[int, int]]] | None:
        """Part size and records of an earlier process; None if there are none that fit this file."""
        try:
            content = self.records.read_bytes()
            magic, size, part_size = _HEAD.unpack_from(content)
            done = list(_RECORD.iter_unpack(content[_HEAD.size :]))
            fits = magic == _MAGIC and size == self.size == self.path.stat().st_size and part_size > 0
            return (part_size, done) if fits and len(done) == -(-size // part_size) else None
        except (OSError, struct.error):
            return None

    def _check(self) -> None:
        for part in self.parts:
            if part.done and (part.start + part.done > part.end or self._crc(part) != part.crc):
                self.restart(part)

    def _crc(self, part: Part) -> int:
        crc, left = 0, part.done
        self._data.seek(part.start)
        while left:
            data = self._data.read(min(left, _CHUNK))
            if not data:
                break
            crc, left = zlib.crc32(data, crc), left - len(data)
        return crc
