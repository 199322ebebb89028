"""Puts models to stores: file after file, each read back and hashed, its digest written to SHA256SUMS at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from tunesmith.contracts.digests import file_sha256
from tunesmith.errors import TunesmithError
from tunesmith_hubs import HubAddress, Published, Refused, command_patience
from tunesmith_storage.hub import SUMS, StorageHub, sums_of
from tunesmith_storage.settings import StorageSettings
from tunesmith_storage.source import attempt

_CHUNK = 8 << 20


class _StoragePublisher:
    """A `Publisher` of `tunesmith_hubs`. One that was killed goes on with the first file that SHA256SUMS lacks."""

    kind: ClassVar[str]

    def __init__(self) -> None:
        self._hub = StorageHub(self.kind, StorageSettings())

    def found(self, uri: str) -> Published | None:
        try:
            listing = self._hub.listing(self._hub.parse(uri), command_patience)
        except TunesmithError as error:
            if error.code == "TS-MODEL-001":
                return None
            raise
        return Published(listing.revision, listing.files)

    def publish(self, uri: str, files: Mapping[str, Path], message: str, public: bool, sent: Callable[[str], None]) -> None:
        address = replace(self._hub.parse(uri), inside="")
        store, folder = self._hub.filesystem(address), self._hub.folder(address)
        sums = sums_of(store, folder, command_patience) if self._told(address, lambda: store.exists(f"{folder}/{SUMS}")) else {}
        for name, path in files.items():
            target, digest = f"{folder}/{name}".lstrip("/"), file_sha256(path)

            def put(target: str = target, path: Path = path) -> None:
                store.makedirs(target.rpartition("/")[0], exist_ok=True)
                store.put_file(str(path), target)

            self._told(address, put)
            if self._told(address, lambda target=target: _digest(store, target)) != digest:
                raise TunesmithError(
                    "TS-MODEL-007", f"{address} has other bytes of {name} than were sent.", why="Read back, it has another SHA-256.",
                    fix="Run the command again.",
                )  # fmt: skip
            sums[name] = digest
            text = "".join(f"{one}  {other}\n" for other, one in sorted(sums.items()))
            self._told(address, lambda text=text: store.pipe_file(f"{folder}/{SUMS}".lstrip("/"), text.encode()))
            sent(name)

    def _told(self, address: HubAddress, action: Callable):
        try:
            return command_patience().attempts(lambda: attempt(action), str(address))
        except Refused as refusal:
            raise self._hub.error(refusal, address, command_patience) from None


class S3Publisher(_StoragePublisher):
    kind = "s3"


class GSPublisher(_StoragePublisher):
    kind = "gs"


class OSSPublisher(_StoragePublisher):
    kind = "oss"


class WebDAVPublisher(_StoragePublisher):
    kind = "webdav"


def _digest(store, path: str) -> str:
    state, done = hashlib.sha256(), 0
    size = int(store.info(path).get("size") or 0)
    while done < size:
        data = store.cat_file(path, start=done, end=min(done + _CHUNK, size))
        if not data:
            break
        state.update(data)
        done += len(data)
    return state.hexdigest()
