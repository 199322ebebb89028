"""Modelers: its API, its refusals, and the cache of its own library.

    GET /api/v1/file/ORG/NAME?ref=REVISION&path=FOLDER    what a folder holds: folders, and files with the SHA-256 of Git LFS or git's SHA-1
    GET /api/v1/file/ORG/NAME/REVISION/media/PATH         a file, or a redirect to where it is

The answer about the root names the commit that the revision stands for. All else is asked at that commit, so that a branch may move. Models
and datasets have one space of names, and one API of files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tunesmith.errors import TunesmithError, UserError
from tunesmith_hubs import HttpHub, HubAddress, HubFile, Listing, PatientClient, Refused
from tunesmith_modelers import environment_variables
from tunesmith_modelers.settings import ModelersSettings
from tunesmith_modelers.uri import parse

_DATASETS = "datasets/"
_DEEPEST = 20  #: folders within one another that are looked into


class ModelersHub(HttpHub):
    name = "modelers"

    def __init__(self, settings: ModelersSettings) -> None:
        token = environment_variables.token()
        credentials = {"Authorization": f"Bearer {token}"} if token else {}
        endpoint = settings.endpoint.rstrip("/") or environment_variables.endpoint()
        super().__init__(endpoint, credentials, settings, "OPENMIND_HUB_ENDPOINT")

    def parse(self, uri: str) -> HubAddress:
        return parse(uri)

    def listed(self, address: HubAddress, client: PatientClient) -> Listing:
        root = _folder(client, address, address.revision, "")
        commit = str(root["last_commit"]["commit"]["commit_sha"])
        files = dict(_files(client, address, commit, root["tree"] or ()))
        if not files:
            raise UserError("TS-MODEL-004", f"There is nothing in {address}.", why="It is empty.", fix="Check the revision.")
        return Listing(commit, files)

    def urls(self, endpoint: str, address: HubAddress, name: str, file: HubFile) -> Sequence[str]:
        return [f"{_api(endpoint, address)}/{address.revision}/media/{quote(name)}"]

    def refused(self, refusal: Refused, address: HubAddress, client: PatientClient) -> TunesmithError:
        said, hub = _message(refusal.body), client.client
        why = f"{refusal.message}{': ' + said if said else ''}."
        if refusal.status in (401, 403) and hub.authenticated:
            fix = f"Ask for access on {hub.endpoint}, or set {environment_variables.TOKEN} to a token that is valid."
            return UserError("TS-MODEL-006", f"The hub refuses access to {address}.", why=why, fix=fix)
        if refusal.status in (400, 401, 403, 404):
            private = "" if hub.authenticated else f" If it is private, set {environment_variables.TOKEN}."
            what, before = ("dataset", _DATASETS) if address.repo.startswith(_DATASETS) else ("model", "")
            return UserError("TS-MODEL-001", f"There is no {what} {address} on {hub.endpoint}.", why=why,
                             fix=f"Check the spelling, and the revision: modelers://{before}ORG/NAME[@REVISION].{private}")  # fmt: skip
        fix = "Check OPENMIND_HUB_ENDPOINT and the proxy settings."
        return UserError("TS-MODEL-002", f"The hub refuses a request for {address}.", why=why, fix=fix)

    def copies(self, address: HubAddress, name: str, file: HubFile) -> Iterable[Path]:
        """The library keeps a revision's files in a folder that is called by its commit."""
        kind = "datasets" if address.repo.startswith(_DATASETS) else "models"
        folder = "--".join((kind, *address.repo.removeprefix(_DATASETS).split("/")))
        path = environment_variables.cache() / folder / "snapshots" / address.revision / name
        if path.is_file() and path.stat().st_size == file.size:
            yield path


def file_of(entry: Mapping[str, Any]) -> HubFile:
    """A file as a folder's entry tells it. KeyError, TypeError or ValueError if it is none."""
    return HubFile(int(entry["size"]), str(entry["etag"]).strip('"').lower(), git=not entry["is_lfs"])


def _files(
    client: PatientClient, address: HubAddress, commit: str, entries: Iterable[Mapping[str, Any]], depth: int = 0
) -> Iterator[tuple[str, HubFile]]:  # fmt: skip
    """All below a folder whose `entries` are known."""
    if depth > _DEEPEST:
        raise ValueError("folders without an end")
    for entry in entries:
        path = str(entry["path"])
        if entry["type"] == "dir":
            yield from _files(client, address, commit, _folder(client, address, commit, path)["tree"] or (), depth + 1)
        else:
            yield path, file_of(entry)


def _folder(client: PatientClient, address: HubAddress, revision: str, path: str) -> Mapping[str, Any]:
    url = f"{_api(client.client.endpoint, address)}?{urlencode({'path': path, 'ref': revision})}"
    found: Mapping[str, Any] = client.read_json(url, str(address))["data"]
    return found


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["msg"]).strip().rstrip(".")
    except (ValueError, LookupError, TypeError):
        return ""


def _api(endpoint: str, address: HubAddress) -> str:
    return f"{endpoint}/api/v1/file/{address.repo.removeprefix(_DATASETS)}"
