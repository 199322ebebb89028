"""ModelScope: its API, its refusals, and the cache of its own library.

    GET /api/v1/models/ORG/NAME/repo/files?Revision=REVISION&Recursive=True&Root=FOLDER   a revision's files, each with its SHA-256
    GET /api/v1/models/ORG/NAME/repo?Revision=REVISION&FilePath=PATH                      a file, or a redirect to where it is
    GET /api/v1/models/ORG/NAME/revisions                                                 branches and tags
    GET /api/v1/datasets/ORG/NAME/repo/tree?Revision=...&PageNumber=1&PageSize=200        a dataset's files, in pages; else the same

A file's entry names the commit that brought it, so each file is asked for at its own commit: a branch may move between the listing and the
download. A token is sent as the library does, in a header and in a cookie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith_hubs import HttpHub, HubAddress, HubFile, Listing, PatientClient, Refused, revision_of_files
from tunesmith_modelscope import environment_variables
from tunesmith_modelscope.settings import ModelScopeSettings
from tunesmith_modelscope.uri import LATEST, parse

_MOST_FILES = 3000  # of one answer: it is cut there without a word
_PAGE = 200  # files of a dataset that are asked for at once


class ModelScopeHub(HttpHub):
    name = "modelscope"

    def __init__(self, settings: ModelScopeSettings) -> None:
        token = environment_variables.token()
        credentials = {"Authorization": f"Bearer {token}", "Cookie": f"m_session_id={token}"} if token else {}
        endpoint = settings.endpoint.rstrip("/") or environment_variables.endpoint()
        super().__init__(endpoint, credentials, settings, "MODELSCOPE_ENDPOINT")

    def parse(self, uri: str) -> HubAddress:
        return parse(uri)

    def listed(self, address: HubAddress, client: PatientClient) -> Listing:
        entries = _tree(client, address) if _is_dataset(address) else _entries(client, address)
        files = {name: file_of(entry) for name, entry in entries}
        if not files:
            raise UserError("TS-MODEL-004", f"There is nothing in {address}.", why="It is empty.", fix="Check the revision.")
        return Listing(revision_of_files(files), files)

    def urls(self, endpoint: str, address: HubAddress, name: str, file: HubFile) -> Sequence[str]:
        revisions = dict.fromkeys(filter(None, (file.version, address.named or address.revision)))
        return [f"{_api(endpoint, address)}/repo?{urlencode({'Revision': one, 'FilePath': name})}" for one in revisions]

    def refused(self, refusal: Refused, address: HubAddress, client: PatientClient) -> TunesmithError:
        said, hub = _message(refusal.body), client.client
        why = f"{refusal.message}{': ' + said if said else ''}."
        if refusal.status in (401, 403) and hub.authenticated:
            page = f"{hub.endpoint}/{'' if _is_dataset(address) else 'models/'}{address.repo}"
            fix = f"Ask for access on {page}, or set MODELSCOPE_API_TOKEN to a token that is valid."
            return UserError("TS-MODEL-006", f"The hub refuses access to {address}.", why=why, fix=fix)
        if refusal.status in (400, 401, 403, 404):
            private = "" if hub.authenticated else " If it is private, set MODELSCOPE_API_TOKEN."
            branches = [*_revisions(client, address)]
            if branches and address.revision not in branches:
                what = f"modelscope://{address.repo} has no revision `{address.revision}`."
                return UserError("TS-MODEL-001", what, why=why, fix=did_you_mean(address.revision, branches))
            what, before = ("dataset", "datasets/") if _is_dataset(address) else ("model", "")
            return UserError("TS-MODEL-001", f"There is no {what} {address} on {hub.endpoint}.", why=why,
                             fix=f"Check the spelling: modelscope://{before}ORG/NAME.{private}")  # fmt: skip
        fix = "Check MODELSCOPE_ENDPOINT and the proxy settings."
        return UserError("TS-MODEL-002", f"The hub refuses a request for {address}.", why=why, fix=fix)

    def copies(self, address: HubAddress, name: str, file: HubFile) -> Iterable[Path]:
        """The library writes a name's dots as underscores in one of its layouts, and keeps snapshots in the other."""
        kind = "datasets" if _is_dataset(address) else "models"
        org, _, model = address.repo.removeprefix("datasets/").partition("/")
        revision = address.named or address.revision or LATEST
        for root in environment_variables.caches():
            for folder in (
                root / kind / org / model.replace(".", "___"),
                root / org / model.replace(".", "___"),
                root / f"{kind}--{org}--{model}" / "snapshots" / revision,
            ):
                path = folder / name
                if path.is_file() and path.stat().st_size == file.size:
                    yield path


def file_of(entry: Mapping[str, Any]) -> HubFile:
    """A file as ``repo/files`` tells it. KeyError, TypeError or ValueError if it is none."""
    commit = str(entry.get("Revision") or "")
    version = commit if re.fullmatch(r"[0-9a-f]{40}", commit) else ""
    digest = str(entry.get("Sha256") or "").lower()
    # small files of old repositories have no hash: their commit says which they are
    return HubFile(int(entry["Size"]), digest, version=version or ("" if digest else f"{entry['Path']} {entry['CommittedDate']}"))


def _entries(client: PatientClient, address: HubAddress, root: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names and entries of all files below `root`."""
    found = _page(client, address, root, recursive=True)
    if len(found) < _MOST_FILES:
        yield from ((str(entry["Path"]), entry) for entry in found if entry.get("Type") != "tree")
        return
    entries = _page(client, address, root, recursive=False)
    if len(entries) >= _MOST_FILES:
        why = f"One folder has {_MOST_FILES} files or more, and ModelScope does not list more than that."
        raise UserError("TS-MODEL-002", f"The files of {address} can't all be listed.", why=why, fix="Take the model from elsewhere.")
    for entry in entries:
        if entry.get("Type") == "tree":
            yield from _entries(client, address, str(entry["Path"]))
        else:
            yield str(entry["Path"]), entry


def _page(client: PatientClient, address: HubAddress, root: str, *, recursive: bool) -> list[Mapping[str, Any]]:
    query = {"Revision": address.revision, "Recursive": str(recursive)} | ({"Root": root} if root else {})
    answer = client.read_json(f"{_api(client.client.endpoint, address)}/repo/files?{urlencode(query)}", str(address))
    return list(answer["Data"]["Files"] or ())


def _tree(client: PatientClient, address: HubAddress) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names and entries of a dataset's files, page after page."""
    for page in count(1):
        query = urlencode({"Revision": address.revision, "Recursive": "True", "PageNumber": page, "PageSize": _PAGE})
        answer = client.read_json(f"{_api(client.client.endpoint, address)}/repo/tree?{query}", str(address))
        found = answer["Data"]["Files"] or ()
        yield from ((str(entry["Path"]), entry) for entry in found if entry.get("Type") != "tree")
        if len(found) < _PAGE:
            return


def _revisions(client: PatientClient, address: HubAddress) -> Iterator[str]:
    try:
        answer = client.read_json(f"{_api(client.client.endpoint, address)}/revisions", str(address))
        found = answer["Data"]["RevisionMap"]
        yield from (str(entry["Revision"]) for kind in ("Branches", "Tags") for entry in found.get(kind) or ())
    except (TunesmithError, Refused, KeyError, TypeError, ValueError, AttributeError):
        return


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["Message"]).strip().rstrip(".")
    except (ValueError, LookupError, TypeError):
        return ""


def _api(endpoint: str, address: HubAddress) -> str:
    return f"{endpoint}/api/v1/{'' if _is_dataset(address) else 'models/'}{address.repo}"


def _is_dataset(address: HubAddress) -> bool:
    """A dataset's repository is called ``datasets/ORG/NAME``."""
    return address.repo.startswith("datasets/")
