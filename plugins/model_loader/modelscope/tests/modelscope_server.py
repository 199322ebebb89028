"""ModelScope on this machine: its API as far as models and datasets need it, as the library modelscope-hub 0.5.1 asks it.

Small files are sent whole, whatever range is asked for; files of Git LFS by a redirect, with ranges.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from tunesmith_sdk.testing.loopback_hub import LoopbackHandler, LoopbackHub, Repo, is_lfs

_TAKEN = 10010101001  # a model of this name is there
_NOWHERE = 10010205001  # the code in the body of a refusal; any: nothing is decided by it


class _Handler(LoopbackHandler):
    def route(self, path: str, query: Mapping[str, str], token: str) -> None:
        session = (self.headers.get("Cookie") or "").partition("m_session_id=")[2].partition(";")[0]
        self.record.token = token = token or session
        name, _, what = path.removeprefix("/api/v1/").removeprefix("models/").partition("/repo")
        if path.endswith("/revisions"):
            name, what = name.removesuffix("/revisions"), "/revisions"
        if not path.startswith(("/api/v1/models/", "/api/v1/datasets/")) or self.faulty_api():
            return
        repo = self.hub.repos.get(name)
        if token in self.hub.expired:
            return self.refuse(401, "token is expired")
        if repo is None or (repo.private and token != self.hub.token):
            return self.refuse(404, "record not found")
        if what == "/revisions":
            branches = [{"Revision": ref, "CreatedAt": 1} for ref in repo.refs]
            return self.json({"Code": 200, "Success": True, "Data": {"RevisionMap": {"Branches": branches, "Tags": []}}})
        commit = repo.refs.get(query.get("Revision", "master"), query.get("Revision", ""))
        if commit not in repo.commits:
            return self.refuse(404, f"revision {commit} not found")
        if what == ("/tree" if name.startswith("datasets/") else "/files"):
            return self.files(repo, commit, query)
        return self.file(repo.commits[commit], query.get("FilePath", ""))

    def files(self, repo: Repo, commit: str, query: Mapping[str, str]) -> None:
        root, recursive = query.get("Root", "").strip("/"), query.get("Recursive") == "True"
        entries, folders = [], set()
        for name, data in repo.commits[commit].items():
            if root and not name.startswith(root + "/"):
                continue
            *parents, _ = name.removeprefix(root + "/").split("/") if root else name.split("/")
            deep = parents if recursive else parents[:1]
            folders |= {"/".join(filter(None, (root, *deep[: count + 1]))) for count in range(len(deep))}
            if recursive or not parents:
                digest = hashlib.sha256(data).hexdigest() if self.hub.digests else ""
                entries.append({"Path": name, "Type": "blob", "Size": len(data), "Revision": self.hub.brought(repo, commit, name),
                                "Sha256": digest, "IsLFS": is_lfs(name), "CommittedDate": 1})  # fmt: skip
        entries += [{"Path": folder, "Type": "tree", "Size": 0, "Sha256": ""} for folder in sorted(folders)]
        if "PageNumber" in query:
            size = int(query["PageSize"])
            entries = entries[(int(query["PageNumber"]) - 1) * size :][:size]
        self.json({"Code": 200, "Success": True, "Data": {"Files": entries[: self.hub.most]}})

    def file(self, files: Mapping[str, bytes], name: str) -> None:
        data = files.get(name)
        if data is None:
            return self.refuse(404, f"file {name} not found")
        if is_lfs(name):
            return self.to_cdn(name, data, {})
        return self.content(name, data, {"X-Linked-ETag": hashlib.sha256(data).hexdigest()}, ranges=False)

    # what the hub's library asks when it publishes

    def receive(self, path: str, query: Mapping[str, str], token: str, body: bytes) -> None:
        if path.startswith("/cdn/put/"):
            self.hub.blobs[hashlib.sha256(body).hexdigest()] = (path, body)  # by what came, as object stores do
            return self.json({})
        if token != self.hub.token:
            return self.refuse(401, "token is invalid")
        asked = json.loads(body)
        if path == "/api/v1/models":
            name = f"{asked['Path']}/{asked['Name']}"
            if name in self.hub.repos:
                return self.refuse(400, "model already exists", _TAKEN)
            self.hub.add(name, {}, private=asked["Visibility"] == 1)
            return self.json({"Code": 200, "Success": True, "Data": {"Path": asked["Path"], "Name": asked["Name"]}})
        name, batch, _ = path.removeprefix("/api/v1/repos/models/").partition("/info/lfs/objects/batch")
        if not batch:
            name, _, branch = name.partition("/commit/")
            return self.commit(name, branch, asked["actions"])
        objects = [one if one["oid"] in self.hub.blobs else {**one, "actions": {"upload": {"href": f"{self.hub.cdn}/cdn/put/{one['oid']}"}}}
                   for one in asked["objects"]]  # fmt: skip
        return self.json({"Code": 200, "Success": True, "Data": {"objects": objects}})

    def commit(self, name: str, branch: str, actions: list[dict]) -> None:
        repo = self.hub.repos[name]
        files = dict(repo.commits[repo.refs[branch]])
        for one in actions:
            if one["type"] == "lfs" and one["sha256"] not in self.hub.blobs:
                return self.refuse(400, "LFS object is missing")
            files[one["path"]] = self.hub.blobs[one["sha256"]][1] if one["type"] == "lfs" else base64.b64decode(one["content"])
        return self.json({"Code": 200, "Success": True, "Data": {"oid": self.hub.add(name, files, branch)}})

    def refuse(self, status: int, message: str, code: int = _NOWHERE) -> None:
        self.json({"Code": code, "Message": message, "Success": False, "RequestId": "0"}, status)


class ModelScopeServer(LoopbackHub):
    """Further attributes: `digests`: whether entries have their SHA-256; `most`: files of one answer; `expired`: tokens."""

    handler = _Handler
    token = "ms-test"

    def __init__(self) -> None:
        super().__init__()
        self.digests, self.most, self.expired = True, 3000, set()

    def add(self, repo: str, files: dict[str, bytes], revision: str = "master", **flags: bool) -> str:
        return super().add(repo, files, revision, **flags)

    def brought(self, repo: Repo, commit: str, name: str) -> str:
        """The first commit in which the file was as it is in this one."""
        return next(one for one, files in repo.commits.items() if files.get(name) == repo.commits[commit][name])
