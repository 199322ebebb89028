"""The Hugging Face hub: its API, its refusals, and the cache of its own library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith_hubs import HttpHub, HubAddress, HubFile, Listing, PatientClient, Refused
from tunesmith_huggingface import environment_variables, library_cache
from tunesmith_huggingface.settings import HuggingFaceSettings
from tunesmith_huggingface.uri import parse


class HuggingFaceHub(HttpHub):
    name = "huggingface"
    offline_variables = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")

    def __init__(self, settings: HuggingFaceSettings) -> None:
        token = environment_variables.token()
        credentials = {"Authorization": f"Bearer {token}"} if token else {}
        endpoint = settings.endpoint.rstrip("/") or environment_variables.endpoint()
        super().__init__(endpoint, credentials, settings, "HF_ENDPOINT")

    def parse(self, uri: str) -> HubAddress:
        return parse(uri)

    def listed(self, address: HubAddress, client: PatientClient) -> Listing:
        url = f"{_api(client, address)}/revision/{quote(address.revision, safe='')}?blobs=true"
        return listing_of(client.read_json(url, str(address)))

    def urls(self, endpoint: str, address: HubAddress, name: str, file: HubFile) -> Sequence[str]:
        return [f"{endpoint}/{address.repo}/resolve/{address.revision}/{quote(name)}"]

    def refused(self, refusal: Refused, address: HubAddress, client: PatientClient) -> TunesmithError:
        why, code, hub = refusal.message + ".", refusal.headers.get("X-Error-Code") or "", client.client
        if code == "RevisionNotFound":
            what = f"hf://{address.repo} has no revision `{address.revision}`."
            return UserError("TS-MODEL-001", what, why=why, fix=_near(client, address))
        if code == "EntryNotFound":
            return UserError("TS-MODEL-001", f"{address} lacks a file that it lists.", why=why, fix="Run the command again.")
        if code == "GatedRepo" or (refusal.status in (401, 403) and hub.authenticated and code != "RepoNotFound"):
            fix = f"Ask for access on {hub.endpoint}/{address.repo}, then set HF_TOKEN to a token that may read it."
            return UserError("TS-MODEL-006", f"The hub refuses access to {address}.", why=why, fix=fix)
        if refusal.status in (401, 403, 404):
            what = "dataset" if address.repo.startswith("datasets/") else "model"
            private = "" if hub.authenticated else " If it is private or gated, set HF_TOKEN: without it the hub does not tell."
            return UserError("TS-MODEL-001", f"There is no {what} {address} on {hub.endpoint}.", why=why,
                             fix=f"Check the spelling: hf://{'datasets/' * (what == 'dataset')}ORG/NAME.{private}")  # fmt: skip
        fix = "Check HF_ENDPOINT and the proxy settings."
        return UserError("TS-MODEL-002", f"The hub refuses a request for {address}.", why=why, fix=fix)

    def copies(self, address: HubAddress, name: str, file: HubFile) -> Iterable[Path]:
        return library_cache.copies(address.repo, file)

    def known(self, address: HubAddress) -> Listing | None:
        return library_cache.listing(address)


def _api(client: PatientClient, address: HubAddress) -> str:
    """A dataset's repository is called ``datasets/ORG/NAME``; a model's has nothing before its name but in the API."""
    kind = "" if address.repo.startswith("datasets/") else "models/"
    return f"{client.client.endpoint}/api/{kind}{address.repo}"


def listing_of(answer: Mapping[str, Any]) -> Listing:
    """From ``.../revision/{revision}?blobs=true``. KeyError, TypeError or ValueError if it is not that."""
    files = {}
    for entry in answer["siblings"]:
        lfs = entry.get("lfs")
        if lfs:
            files[str(entry["rfilename"])] = HubFile(int(lfs["size"]), str(lfs["sha256"]))
        else:
            files[str(entry["rfilename"])] = HubFile(int(entry["size"]), str(entry["blobId"]), git=True)
    return Listing(str(answer["sha"]), files)


def _near(client: PatientClient, address: HubAddress) -> str:
    try:
        refs = client.read_json(f"{_api(client, address)}/refs", str(address))
        names = [str(entry["name"]) for kind in ("branches", "tags") for entry in refs.get(kind) or ()]
    except (TunesmithError, Refused, KeyError, TypeError, ValueError, AttributeError):
        names = ["main"]
    return did_you_mean(address.revision, names)
