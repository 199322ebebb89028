"""A store as a hub without revisions: what a folder holds now is the revision."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.errors import TunesmithError, UserError
from tunesmith_hubs import Hub, HubAddress, HubFile, Listing, Patience, Refused, Source, revision_of_files
from tunesmith_storage.filesystems import BACKENDS, Backend
from tunesmith_storage.settings import StorageSettings
from tunesmith_storage.source import FileSystemSource, attempt, state_of

SUMS = "SHA256SUMS"  #: a file beside the model's, as `sha256sum` writes it
_DEEP = 2  # folders below the model's that are looked at: templates lie in one
_URI = re.compile(r"(?P<scheme>[a-z0-9]+)://(?P<root>[^/\s@?#\0]+)(?P<path>(?:/[^\0\n]*)?)")
_FILE = re.compile(r".*\.(?:gguf|safetensors|json)")


class StorageHub(Hub):
    """A store of one kind."""

    def __init__(self, kind: str, settings: StorageSettings) -> None:
        self.name = kind  # type: ignore[misc]
        self._backend: Backend = BACKENDS[kind]
        self._endpoint = settings.endpoint
        self._filesystems: dict[str, Any] = {}  # by host: each keeps connections open

    def filesystem(self, address: HubAddress) -> Any:
        """
        Raises:
            UserError: TS-MODEL-014 if its library is not installed.
        """
        secure = "s" if address.scheme == "webdavs" else ""
        host = f"http{secure}://{address.repo.partition('/')[0]}" if self._backend.has_host else ""
        if host not in self._filesystems:
            self._filesystems[host] = self._backend.filesystem(self._endpoint, host)
        return self._filesystems[host]

    def parse(self, uri: str) -> HubAddress:
        match = _URI.fullmatch(uri)
        parts = [part for part in match["path"].split("/") if part] if match else []
        if not match or ".." in parts or not (parts or self._backend.has_host):
            example = "webdavs://HOST/FOLDER" if self._backend.has_host else f"{self.name}://BUCKET/FOLDER"
            raise UserError(
                "TS-MODEL-003", f"`{uri}` names no model in a store.", fix=f"Write {example}, or the path of a .gguf file in it."
            )
        inside = parts.pop() if parts and _FILE.fullmatch(parts[-1]) else ""
        return HubAddress(match["scheme"], "/".join((match["root"], *parts)), "", inside, "")

    def listing(self, address: HubAddress, patience: Callable[[], Patience]) -> Listing:
        folder, store = self.folder(address), self.filesystem(address)
        try:
            found = patience().attempts(lambda: attempt(lambda: store.find(folder, maxdepth=_DEEP, detail=True)), str(address))
            names = {path.strip("/").removeprefix(folder.strip("/")).lstrip("/"): entry for path, entry in found.items()}
            sums = sums_of(store, folder, patience) if SUMS in names else {}
        except Refused as refusal:
            raise self.error(refusal, address, patience) from None
        files = {name: self._file(address, name, entry, sums) for name, entry in names.items() if name and name != SUMS}
        if not files:
            raise UserError("TS-MODEL-001", f"There is nothing at {address}.", fix="Check the bucket and the folder's name.")
        return Listing(revision_of_files(files), files)

    def sources(self, address: HubAddress, name: str, file: HubFile) -> Sequence[Source]:
        place = f"{address.scheme}://{address.repo.partition('/')[0]}"
        return [FileSystemSource(self.filesystem(address), f"{self.folder(address)}/{name}".lstrip("/"), place, file)]

    def error(self, refusal: Refused, address: HubAddress, patience: Callable[[], Patience]) -> TunesmithError:
        where = f"{address.scheme}://{address.repo}"
        if refusal.status == 404:
            return UserError(
                "TS-MODEL-001", f"There is nothing at {where}.", why=refusal.message, fix="Check the bucket and the folder's name."
            )
        if refusal.status in (401, 403):
            fix = "Set the variables that say who you are; the loader's README names them."
            return UserError("TS-MODEL-006", f"{where} may not be read.", why=refusal.message, fix=fix)
        return UserError("TS-MODEL-002", f"{where} can't be read.", why=refusal.message, fix="Check the endpoint and the proxy settings.")

    def folder(self, address: HubAddress) -> str:
        """The model's path in its store."""
        return address.repo.partition("/")[2] if self._backend.has_host else address.repo

    def _file(self, address: HubAddress, name: str, entry: Mapping[str, Any], sums: Mapping[str, str]) -> HubFile:
        state = state_of(entry)
        digest = sums.get(name, "")
        if not state and not digest:
            raise UserError(
                "TS-MODEL-002", f"{address} does not tell which version of {name} it has.", why="It gives neither an ETag nor a time.",
                fix=f"Put a file {SUMS} beside the model: `sha256sum * > {SUMS}`.",
            )  # fmt: skip
        # the place belongs to it: two stores may give two files the same ETag
        return HubFile(int(entry.get("size") or 0), digest, version=f"{self._endpoint or address.scheme} {address.repo}/{name} {state}")


def sums_of(store: Any, folder: str, patience: Callable[[], Patience]) -> dict[str, str]:
    """Digests by name."""
    content = patience().attempts(lambda: attempt(lambda: store.cat_file(f"{folder}/{SUMS}".lstrip("/"))), SUMS)
    found = (re.fullmatch(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)", line) for line in content.decode("utf-8", "replace").splitlines())
    return {match[2]: match[1].lower() for match in found if match}
