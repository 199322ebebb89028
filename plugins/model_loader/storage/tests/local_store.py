"""A folder of this machine in place of a bucket: fsspec's own file system for local files, under any store's name. It can misbehave."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.implementations.dirfs import DirFileSystem

from tunesmith_storage import filesystems
from tunesmith_storage.filesystems import BACKENDS, Backend


class LocalStore(DirFileSystem):
    """
    Args:
        folder: holds the buckets.

    `failures`: requests that fail before one is answered; `status`: of a refusal; `corrupt`: positions whose byte is flipped once each;
    `pause`: seconds before a part is given; `read`: bytes that were given, `spans`: of which parts.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(path=str(folder), skip_instance_cache=True)
        self.failures, self.corrupt, self.pause, self.read, self.status = 0, [], 0.0, 0, 0
        self.spans: list[tuple[int, int]] = []

    def _fail(self) -> None:
        if self.status:
            raise type("Answer", (OSError,), {"status": self.status})("no")
        if self.failures:
            self.failures -= 1
            raise OSError("the connection was reset")

    def find(self, path: str, **more: Any) -> Any:
        self._fail()
        return super().find(path, **more)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **more: Any) -> bytes:
        self._fail()
        time.sleep(self.pause)
        data = bytearray(super().cat_file(path, start=start, end=end, **more))
        if start is not None:
            self.spans.append((start, end))
            for position in [one for one in self.corrupt if start <= one < end]:
                self.corrupt.remove(position)
                data[position - start] ^= 0xFF
        self.read += len(data)
        return bytes(data)


def stand_in(store: LocalStore) -> None:
    """Have every kind of store be this one from now on, or, at an address that is named, one with nothing in it."""

    def made(module, endpoint: str, host: str) -> LocalStore:
        return LocalStore(Path(store.path) / "another") if endpoint else store

    for kind, real in list(BACKENDS.items()):
        filesystems.BACKENDS[kind] = Backend("fsspec", real.extra, made, real.has_host)


@contextmanager
def standing_in(store: LocalStore):
    before = dict(BACKENDS)
    stand_in(store)
    try:
        yield
    finally:
        BACKENDS.update(before)
