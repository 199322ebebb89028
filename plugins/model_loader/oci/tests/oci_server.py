"""A container registry on this machine: the distribution specification as far as artifacts of models need it
(https://github.com/opencontainers/distribution-spec). Layers are sent by a redirect, as registries before object stores do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from tunesmith_sdk.testing.loopback_hub import LoopbackHandler, LoopbackHub, Repo

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_EMPTY = b"{}"


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class _Handler(LoopbackHandler):
    def route(self, path: str, query: Mapping[str, str], token: str) -> None:
        if path == "/token":
            known = (self.headers.get("Authorization") or "") == f"Basic {self.hub.basic}"
            return self.json({"token": self.hub.token if known else "anonymous"})
        if path == "/v2/":
            return self.answer(200, b"{}")
        name, _, what = path.removeprefix("/v2/").partition("/manifests/")
        if what or path.endswith("/tags/list"):
            if self.faulty_api():
                return None
        else:
            name, _, digest = path.removeprefix("/v2/").partition("/blobs/")
        name = name.removesuffix("/tags/list")
        repo = self.hub.repos.get(name)
        if repo is not None and repo.private and token != self.hub.token:
            realm = f'Bearer realm="{self.hub.url}/token",service="loopback",scope="repository:{name}:pull"'
            return self.refuse(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": realm})
        if repo is None:
            return self.refuse(404, "NAME_UNKNOWN", "repository name not known to registry")
        if path.endswith("/tags/list"):
            return self.json({"name": name, "tags": [*repo.refs]})
        if what:
            return self.manifest(repo, what)
        if digest == _sha256(_EMPTY):
            return self.content("config", _EMPTY, {})
        if self.command == "HEAD":
            return self.answer(200 if digest.removeprefix("sha256:") in self.hub.blobs else 404, b"")
        known = self.hub.blobs.get(digest.removeprefix("sha256:"))
        return self.to_cdn(*known, {}) if known else self.refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")

    # what clients ask when they push

    def receive(self, path: str, query: Mapping[str, str], token: str, body: bytes) -> None:
        name, _, what = path.removeprefix("/v2/").partition("/manifests/")
        name = name.partition("/blobs/")[0]
        if token != self.hub.token:
            realm = f'Bearer realm="{self.hub.url}/token",service="loopback",scope="repository:{name}:pull,push"'
            return self.refuse(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": realm})
        if path.endswith("/blobs/uploads/"):
            return self.answer(202, b"", {"Location": f"/v2/{name}/blobs/uploads/1?state=a"})
        if not what:
            if _sha256(body) != query["digest"]:
                return self.refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            self.hub.blobs[query["digest"].removeprefix("sha256:")] = (path, body)
            return self.answer(201, b"")
        said = json.loads(body)
        if any(one["digest"].removeprefix("sha256:") not in self.hub.blobs for one in (said["config"], *said["layers"])):
            return self.refuse(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
        files = {
            one["annotations"][self.hub.annotation]: self.hub.blobs[one["digest"].removeprefix("sha256:")][1] for one in said["layers"]
        }
        self.hub.pushed[self.hub.add(name, files, what)] = body
        return self.answer(201, b"", {"Docker-Content-Digest": _sha256(body)})

    def manifest(self, repo: Repo, reference: str) -> None:
        made = {one: self.hub.pushed.get(one) or self.hub.manifest(files) for one, files in repo.commits.items()}
        data = made.get(repo.refs.get(reference, "")) or {_sha256(one): one for one in made.values()}.get(reference)
        if data is None:
            return self.refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if MANIFEST not in (self.headers.get("Accept") or ""):
            return self.refuse(404, "MANIFEST_UNKNOWN", "no manifest of a type that is accepted")
        return self.answer(200, data, {"Content-Type": MANIFEST, "Docker-Content-Digest": _sha256(data)})

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer(status, body, {"Content-Type": "application/json", **(headers or {})})


class OCIServer(LoopbackHub):
    """`basic`: a name and a password for which it gives its token; `kind`: of layers; `annotation`: that tells a file's path."""

    handler = _Handler
    basic = "dXNlcjpwYXNzd29yZA=="

    def __init__(self) -> None:
        super().__init__()
        self.pushed: dict[str, bytes] = {}  # manifests by commit
        self.kind, self.annotation = "application/vnd.cncf.model.weight.v1.raw", "org.cncf.model.filepath"

    def add(self, repo: str, files: dict[str, bytes], revision: str = "latest", **flags: bool) -> str:
        return super().add(repo, files, revision, **flags)

    def manifest(self, files: Mapping[str, bytes]) -> bytes:
        """Of an artifact with these files."""
        layers = [{"mediaType": self.kind, "digest": _sha256(data), "size": len(data), "annotations": {self.annotation: name}}
                  for name, data in files.items()]  # fmt: skip
        config = {"mediaType": "application/vnd.cncf.model.config.v1+json", "digest": _sha256(_EMPTY), "size": len(_EMPTY)}
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.cncf.model.manifest.v1+json",
                           "config": config, "layers": layers}).encode()  # fmt: skip
