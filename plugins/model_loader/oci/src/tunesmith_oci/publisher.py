"""Puts models into registries as artifacts of ModelPack, one layer for each file as it is, which oras reads as well.

    HEAD /v2/NAME/blobs/DIGEST              whether the registry has a file's bytes already
    POST /v2/NAME/blobs/uploads/            where they are to be sent
    PUT  THERE?digest=DIGEST                the bytes, which the registry takes by this digest alone
    PUT  /v2/NAME/manifests/TAG             all files at once: who reads the tag sees them all, or what it was before

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urljoin

from tunesmith.contracts.digests import file_sha256
from tunesmith.errors import TunesmithError, UserError
from tunesmith_hubs import HubFile, Published, Refused, Transient, command_patience
from tunesmith_oci.client import MANIFEST
from tunesmith_oci.hub import NAMES, OCIHub
from tunesmith_oci.settings import OCISettings
from tunesmith_oci.uri import OCIAddress, parse

T = TypeVar("T")

_TIMEOUT = 600.0  # seconds: a registry looks at all of a layer before it answers
_TYPE = "application/vnd.cncf.model."
#: ModelPack's types of layers by what a file's name ends with; all else is documentation
_KINDS = (((".safetensors", ".gguf", ".onnx"), "weight"), ((".json", ".jinja", ".model", ".tiktoken"), "weight.config"))


class OCIPublisher:
    """A `Publisher` of `tunesmith_hubs` for ``oci://`` addresses. Layers that a killed one has sent are not sent again."""

    def __init__(self) -> None:
        self._hub = OCIHub(OCISettings(timeout=_TIMEOUT))

    def found(self, uri: str) -> Published | None:
        try:
            listing = self._hub.listing(_whole(uri), command_patience)
        except TunesmithError as error:
            if error.code == "TS-MODEL-001":
                return None
            raise
        return Published(listing.revision, listing.files)

    def publish(self, uri: str, files: Mapping[str, Path], message: str, public: bool, sent: Callable[[str], None]) -> None:
        address, there = _whole(uri), self.found(uri)
        layers = dict(there.files) if there else {}
        for name, path in files.items():
            layers[name] = HubFile(path.stat().st_size, file_sha256(path))
            self._put_blob(address, path, layers[name])
            sent(name)
        described = json.dumps(_config(layers), sort_keys=True).encode()
        config = HubFile(len(described), hashlib.sha256(described).hexdigest())
        self._put_blob(address, described, config)
        manifest = json.dumps(_manifest(layers, config, message)).encode()
        url = f"{self._base(address)}/manifests/{address.revision}"
        self._told(address, lambda: self._send(address, "PUT", url, manifest, {"Content-Type": MANIFEST}))

    def _put_blob(self, address: OCIAddress, data: Path | bytes, file: HubFile) -> None:
        if self._told(address, lambda: self._has(address, file)):
            return

        def put() -> None:
            start = self._send(address, "POST", f"{self._base(address)}/blobs/uploads/", b"")
            place = urljoin(start.url, start.headers["Location"])
            url = f"{place}{'&' if '?' in place else '?'}digest={quote(f'sha256:{file.digest}', safe='')}"
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.size)}
            try:
                with io.BytesIO(data) if isinstance(data, bytes) else data.open("rb") as reading:
                    self._send(address, "PUT", url, reading, headers)
            except Refused as refusal:
                if b"DIGEST_INVALID" in refusal.body:  # other bytes came than were sent
                    raise Transient(refusal.message) from None
                raise

        self._told(address, put)

    def _has(self, address: OCIAddress, file: HubFile) -> bool:
        try:
            self._send(address, "HEAD", f"{self._base(address)}/blobs/sha256:{file.digest}")
        except Refused as refusal:
            if refusal.status == 404:
                return False
            raise
        return True

    def _base(self, address: OCIAddress) -> str:
        return f"{self._hub.registry(address).client.endpoint}/v2/{address.repo.partition('/')[2]}"

    def _send(self, address: OCIAddress, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        with self._hub.registry(address).client.send(method, url, body, headers) as answer:
            answer.read()
            return answer

    def _told(self, address: OCIAddress, action: Callable[[], T]) -> T:
        """What the registry refuses, as a coded error; what passes is tried again."""
        try:
            return command_patience().attempts(action, str(address))
        except Refused as refusal:
            if refusal.status in (400, 404):
                why = f"{refusal.message}: {refusal.body[:300].decode(errors='replace')}"
                fix = "Check that the name may be made there, then run the command again: what was sent is not sent twice."
                raise UserError("TS-MODEL-002", f"The registry does not take what is sent to {address}.", why=why, fix=fix) from None
            raise self._hub.error(refusal, address, command_patience) from None


def _manifest(layers: Mapping[str, HubFile], config: HubFile, message: str) -> dict[str, Any]:
    return {
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": f"{_TYPE}manifest.v1+json",
        "config": {"mediaType": f"{_TYPE}config.v1+json", "digest": f"sha256:{config.digest}", "size": config.size},
        "layers": [
            {"mediaType": f"{_TYPE}{_kind(name)}.v1.raw", "digest": f"sha256:{file.digest}", "size": file.size,
             "annotations": dict.fromkeys(NAMES, name)}
            for name, file in sorted(layers.items())
        ],
        "annotations": {"org.opencontainers.image.description": message},
    }  # fmt: skip


def _config(layers: Mapping[str, HubFile]) -> dict[str, Any]:
    """ModelPack's description of a model, with what it must have: the layers' digests, in their order."""
    digests = [f"sha256:{file.digest}" for _, file in sorted(layers.items())]
    return {"descriptor": {}, "config": {}, "modelfs": {"type": "layers", "diffIds": digests}}


def _kind(name: str) -> str:
    return next((kind for endings, kind in _KINDS if name.endswith(endings)), "doc")


def _whole(uri: str) -> OCIAddress:
    address = parse(uri)
    if address.inside or address.pinned:
        fix = "Write oci://REGISTRY/NAME:TAG."
        raise UserError("TS-MODEL-003", f"`{uri}` names no tag; a model is published to one.", fix=fix)
    return address
