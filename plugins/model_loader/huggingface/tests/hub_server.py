"""The Hugging Face hub on this machine: its API as far as models need it (https://huggingface.co/docs/hub/api).

Small files are sent directly with git's hash as ETag, files of Git LFS by a redirect with ``X-Linked-ETag``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from tunesmith_sdk.testing.loopback_hub import LoopbackHandler, LoopbackHub, Repo, is_lfs


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _Handler(LoopbackHandler):
    def route(self, path: str, query: Mapping[str, str], token: str) -> None:
        if path.startswith("/api/models/"):
            self.api(path.removeprefix("/api/models/"), token)
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

    def refuse(self, status: int, code: str, message: str) -> None:
        self.answer(status, b"", {"X-Error-Code": code, "X-Error-Message": message})


class HubServer(LoopbackHub):
    handler = _Handler
    token = "hf_test"
