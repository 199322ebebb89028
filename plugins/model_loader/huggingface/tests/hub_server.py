"""The Hugging Face hub on this machine: its API as far as models and datasets need it (https://huggingface.co/docs/hub/api).

Small files are sent directly with git's hash as ETag, files of Git LFS by a redirect with ``X-Linked-ETag``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from tunesmith_sdk.testing.loopback_hub import LoopbackHandler, LoopbackHub, Repo, is_lfs


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _Handler(LoopbackHandler):
    def route(self, path: str, query: Mapping[str, str], token: str) -> None:
        if path.startswith(("/api/models/", "/api/datasets/")):
            self.api(path.removeprefix("/api/").removeprefix("models/"), token)
        else:
            repo, _, rest = path.strip("/").partition("/resolve/")
            self.resolve(repo, rest, token)

    def may_read(self, name: str, token: str) -> Repo | None:
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and token != self.hub.token):
            # Without a token the hub answers 401 for what does not exist, so that private repositories can't be guessed.
            self.refuse(404 if token else 401, "RepoNotFound", "Repository not found")
        elif repo.gated and token != self.hub.token:
            self.refuse(403 if token else 401, "GatedRepo", "Access to this model is restricted")
        else:
            return repo
        return None

    def api(self, path: str, token: str) -> None:
        if self.faulty_api():
            return None
        name, _, revision = path.partition("/revision/")
        if path.endswith("/refs"):
            repo = self.may_read(path.removesuffix("/refs"), token)
            if repo:
                self.json({"branches": [{"name": ref, "targetCommit": commit} for ref, commit in repo.refs.items()], "tags": []})
            return None
        # As on the hub, metadata of a gated repository is public.
        repo = self.hub.repos.get(name)
        if repo is None or not repo.gated:
            repo = self.may_read(name, token)
        if repo is None:
            return None
        commit = repo.refs.get(revision or "main", revision)
        if commit not in repo.commits:
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        siblings = []
        for file, data in repo.commits[commit].items():
            entry = {"rfilename": file, "size": len(data), "blobId": git_hash(data)}
            if is_lfs(file):
                entry["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            siblings.append(entry)
        return self.json({"id": name, "sha": commit, "siblings": siblings})

    def resolve(self, name: str, rest: str, token: str) -> None:
        repo = self.may_read(name, token)
        if repo is None:
            return None
        revision, _, file = rest.partition("/")
        commit = repo.refs.get(revision, revision)
        if commit not in repo.commits:
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        data = repo.commits[commit].get(file)
        if data is None:
            return self.refuse(404, "EntryNotFound", "Entry not found")
        facts = {"X-Repo-Commit": commit}
        if is_lfs(file):
            return self.to_cdn(file, data, facts)
        return self.content(file, data, facts | {"ETag": f'"{git_hash(data)}"'})

    # what the hub's library asks when it publishes: https://huggingface.co/docs/hub/api, and Git LFS's batch API

    def receive(self, path: str, query: Mapping[str, str], token: str, body: bytes) -> None:
        if path.startswith("/cdn/put/"):
            self.hub.blobs[hashlib.sha256(body).hexdigest()] = (path, body)  # by what came, as object stores do
            return self.answer(200, b"")
        if path == "/api/validate-yaml":
            return self.json({"warnings": [], "errors": []})
        if token != self.hub.token:
            return self.refuse(401, "", "Invalid credentials")
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            there = name in self.hub.repos
            if not there:
                self.hub.add(name, {}, private=bool(asked.get("private")) or asked.get("visibility") == "private")
            return self.json({"url": f"{self.hub.url}/{name}"}, 409 if there else 200)
        name, _, what = path.removeprefix("/api/models/").removeprefix("/").partition("/preupload/")
        if what:
            said = [{"path": one["path"], "uploadMode": "lfs" if is_lfs(one["path"]) else "regular", "shouldIgnore": False}
                    for one in json.loads(body)["files"]]  # fmt: skip
            return self.json({"files": said})
        if path.endswith(".git/info/lfs/objects/batch"):
            return self.json({"transfer": "basic", "objects": [self._object(one) for one in json.loads(body)["objects"]]})
        if path.endswith("/verify"):
            return self.json({}, 200 if json.loads(body)["oid"] in self.hub.blobs else 404)
        name, _, branch = path.removeprefix("/api/models/").partition("/branch/")
        if branch:
            repo = self.hub.repos[name]
            status = 409 if branch in repo.refs else 200
            repo.refs.setdefault(branch, repo.refs["main"])
            return self.json({}, status)
        name, _, branch = path.removeprefix("/api/models/").partition("/commit/")
        return self._commit(name, branch, [json.loads(line) for line in body.splitlines()])

    def _object(self, asked: Mapping[str, object]) -> dict[str, object]:
        """Where an object of Git LFS is to be sent; nowhere if it is there."""
        if asked["oid"] in self.hub.blobs:
            return dict(asked)
        actions = {"upload": {"href": f"{self.hub.cdn}/cdn/put/{asked['oid']}"}, "verify": {"href": f"{self.hub.url}/verify"}}
        return {**asked, "actions": actions}

    def _commit(self, name: str, branch: str, lines: list[dict]) -> None:
        files = dict(self.hub.repos[name].commits[self.hub.repos[name].refs[branch]])
        for line in lines:
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            if line["key"] == "lfsFile":
                if line["value"]["oid"] not in self.hub.blobs:
                    return self.refuse(400, "", "LFS object is missing")
                files[line["value"]["path"]] = self.hub.blobs[line["value"]["oid"]][1]
        commit = self.hub.add(name, files, branch)
        return self.json({"commitUrl": f"{self.hub.url}/{name}/commit/{commit}", "commitOid": commit, "pullRequestUrl": None})

    def refuse(self, status: int, code: str, message: str) -> None:
        self.answer(status, b"", {"X-Error-Code": code, "X-Error-Message": message})


class HubServer(LoopbackHub):
    handler = _Handler
    token = "hf_test"
