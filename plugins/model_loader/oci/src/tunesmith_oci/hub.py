"""A container registry as a hub: a tag is a manifest, a manifest's layers are the model's files, each by its SHA-256.

    GET /v2/NAME/manifests/TAG-OR-DIGEST     which layers there are
    GET /v2/NAME/blobs/DIGEST                a layer, or a redirect to where it is
    GET /v2/NAME/tags/list                   for who has misspelt one

Of ModelPack's artifacts (https://github.com/modelpack/model-spec) and of those that oras pushes the layers that are one file as it is are
read; a layer that is an archive has the digest of the archive and not of a file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith_hubs import HttpHub, Hub, HubAddress, HubFile, Listing, Patience, PatientClient, Refused, Source
from tunesmith_oci.client import RegistryClient
from tunesmith_oci.credentials import VARIABLE, authorization
from tunesmith_oci.settings import OCISettings
from tunesmith_oci.uri import parse

NAMES = ("org.cncf.model.filepath", "org.opencontainers.image.title")  # annotations of a layer: its file's path
_LARGEST = 4 << 20  # bytes of a manifest, as registries allow


class OCIHub(Hub):
    name = "oci"

    def __init__(self, settings: OCISettings) -> None:
        self._settings = settings
        self._registries: dict[str, _Registry] = {}

    def parse(self, uri: str) -> HubAddress:
        return parse(uri)

    def listing(self, address: HubAddress, patience: Callable[[], Patience]) -> Listing:
        return self.registry(address).listing(address, patience)

    def sources(self, address: HubAddress, name: str, file: HubFile) -> Sequence[Source]:
        return self.registry(address).sources(address, name, file)

    def error(self, refusal: Refused, address: HubAddress, patience: Callable[[], Patience]) -> TunesmithError:
        return self.registry(address).error(refusal, address, patience)

    def registry(self, address: HubAddress) -> _Registry:
        """The registry that an address names; connections and tokens are kept by it."""
        host = address.repo.partition("/")[0]
        if host not in self._registries:
            self._registries[host] = _Registry(host, self._settings)
        return self._registries[host]


class _Registry(HttpHub):
    name = OCIHub.name
    client_type = RegistryClient

    def __init__(self, host: str, settings: OCISettings) -> None:
        said = authorization(host)
        local = host.partition(":")[0] in ("localhost", "127.0.0.1")  # which registries' tools ask without encryption, too
        own = f"http{'' if local else 's'}://{'registry-1.docker.io' if host == 'docker.io' else host}"
        endpoint = (settings.endpoint or os.environ.get("TUNESMITH_OCI_ENDPOINT") or own).rstrip("/")
        super().__init__(endpoint, {"Authorization": said} if said else {}, settings, "TUNESMITH_OCI_ENDPOINT")

    def parse(self, uri: str) -> HubAddress:
        return parse(uri)

    def listed(self, address: HubAddress, client: PatientClient) -> Listing:
        said, digest = self._manifest(address, address.revision, client)
        if "manifests" in said:  # an index: the one artifact that it has
            (only,) = said["manifests"]
            said, digest = self._manifest(address, str(only["digest"]), client)
        return Listing(digest, dict(_files(address, said["layers"])))

    def _manifest(self, address: HubAddress, reference: str, client: PatientClient) -> tuple[Any, str]:
        url = f"{client.client.endpoint}/v2/{_name(address)}/manifests/{reference}"
        data = client.read(url, str(address), lambda response: response.read(_LARGEST))
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if reference.startswith("sha256:") and digest != reference:
            raise TunesmithError(
                "TS-MODEL-007", f"The registry sends another manifest than {reference[:19]}.", why=f"It sends {digest[:19]}.",
                fix="Run the command again later; if that fails too, try without the proxy or mirror.",
            )  # fmt: skip
        return json.loads(data), digest

    def urls(self, endpoint: str, address: HubAddress, name: str, file: HubFile) -> Sequence[str]:
        return [f"{endpoint}/v2/{_name(address)}/blobs/sha256:{file.digest}"]

    def refused(self, refusal: Refused, address: HubAddress, client: PatientClient) -> TunesmithError:
        why, hub = _message(refusal), client.client
        if refusal.status == 404:
            tags = _tags(client, address)
            named = f"{address.scheme}://{address.repo} has no tag `{address.named or address.revision}`."
            what = named if tags else f"There is no model {address}."
            fix = did_you_mean(address.revision, tags) if tags else "Check the spelling: oci://REGISTRY/NAME:TAG."
            return UserError("TS-MODEL-001", what, why=why, fix=fix)
        if refusal.status in (401, 403):
            fix = f"Log in by `docker login` or `oras login`, or set {VARIABLE}. Registries say this of names that are not there, too."
            return UserError("TS-MODEL-006", f"{hub.endpoint} refuses access to {address}.", why=why, fix=fix)
        fix = "Check the address and the proxy settings."
        return UserError("TS-MODEL-002", f"{hub.endpoint} refuses a request for {address}.", why=why, fix=fix)


def _files(address: HubAddress, layers: Iterable[Any]) -> Iterable[tuple[str, HubFile]]:
    for layer in layers:
        kind, said = str(layer["mediaType"]), layer.get("annotations") or {}
        name = next((str(said[key]) for key in NAMES if said.get(key)), "")
        if not name:
            continue
        if kind.endswith(("tar", "tar+gzip", "tar+zstd", "tar.gzip")):
            raise UserError(
                "TS-MODEL-029", f"{address} keeps {name} in an archive.", why=f"The layer is {kind}, whose digest is not the file's.",
                fix="Push the model with raw layers (`modctl build --raw`, `oras push`), or unpack it with the tool that made it.",
            )  # fmt: skip
        algorithm, _, digest = str(layer["digest"]).partition(":")
        if algorithm != "sha256":
            raise ValueError(algorithm)
        yield name, HubFile(int(layer["size"]), digest)


def _name(address: HubAddress) -> str:
    return address.repo.partition("/")[2]


def _tags(client: PatientClient, address: HubAddress) -> list[str]:
    try:
        return [str(tag) for tag in client.read_json(f"{client.client.endpoint}/v2/{_name(address)}/tags/list", str(address))["tags"] or ()]
    except (TunesmithError, Refused, KeyError, TypeError, ValueError, AttributeError):
        return []


def _message(refusal: Refused) -> str:
    try:
        said = "; ".join(str(one.get("message") or one["code"]) for one in json.loads(refusal.body)["errors"])
    except (ValueError, LookupError, TypeError, AttributeError):
        said = ""
    return f"{refusal.message}{': ' + said if said else ''}."
