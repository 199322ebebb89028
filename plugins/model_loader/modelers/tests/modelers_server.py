"""Modelers on this machine: its API as far as models and datasets need it, as the library openmind-hub 1.3.0 asks it.

Small files are sent whole, whatever range is asked for; files of Git LFS by a redirect, with ranges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from tunesmith_sdk.testing.loopback_hub import LoopbackHandler, LoopbackHub, Repo, is_lfs

_API = "/api/v1/file/"


class _Handler(LoopbackHandler):
    def route(self, path: str, query: Mapping[str, str], token: str) -> None:
        if not path.startswith(_API) or self.faulty_api():
            return
        org, name, *rest = path.removeprefix(_API).split("/")
        repo = self.hub.repos.get(f"{org}/{name}") or self.hub.repos.get(f"datasets/{org}/{name}")
        if token in self.hub.expired:
            return self.refuse(401, "token is expired")
        if repo is None or (repo.private and token != self.hub.token):
            return self.refuse(404, "not found")
        media = len(rest) > 2 and rest[1] == "media"
        asked = rest[0] if media else query.get("ref", "main")
        commit = repo.refs.get(asked, asked)
        if commit not in repo.commits:
            return self.refuse(404, f"revision {asked} not found")
        if rest == ["info"]:
            return self.info(repo, commit, query["path"])
        return self.file(repo.commits[commit], "/".join(rest[2:])) if media else self.folder(repo, commit, query.get("path", ""))

    def folder(self, repo: Repo, commit: str, root: str) -> None:
        entries, before = {}, f"{root}/" if root else ""
        for name, data in repo.commits[commit].items():
            if not name.startswith(before):
                continue
            first, *deeper = name.removeprefix(before).split("/")
            path = before + first
            entries[path] = {"path": path, "name": first, "type": "dir"} if deeper else {
                "path": path, "name": first, "type": "file", "size": len(data), "is_lfs": is_lfs(name), "etag": etag(name, data)
            }  # fmt: skip
        # the last commit that touched the folder: of the root that is the revision's
        told = {"commit_sha": commit, "message": "a commit", "created": "2026-01-01T00:00:00Z"}
        self.json({"code": "", "msg": "", "data": {"tree": list(entries.values()), "last_commit": {"commit": told}}})

    def info(self, repo: Repo, commit: str, path: str) -> None:
        data = repo.commits[commit].get(path)
        if data is None:
            return self.refuse(404, "not found")
        told = {"branch_last_commit": commit, "etag": etag(path, data), "size": len(data), "is_lfs": is_lfs(path)}
        return self.json({"code": "", "msg": "", "data": told | {"path": path, "type": "file"}})

    def file(self, files: Mapping[str, bytes], name: str) -> None:
        data = files.get(name)
        if data is None:
            return self.refuse(404, "not found")
        return self.to_cdn(name, data, {}) if is_lfs(name) else self.content(name, data, {}, ranges=False)

    def refuse(self, status: int, message: str) -> None:
        self.json({"code": "not_found", "msg": message, "data": None}, status)


def etag(name: str, data: bytes) -> str:
    """The SHA-256 of a file that Git LFS keeps, git's SHA-1 of another."""
    return hashlib.sha256(data).hexdigest() if is_lfs(name) else hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class ModelersServer(LoopbackHub):
    """A further attribute, `expired`: tokens."""

    handler = _Handler
    token = "modelers-test"

    def __init__(self) -> None:
        super().__init__()
        self.expired = set()
