"""A real HTTP server that speaks the hub's API, and a content delivery network on another port, both able to misbehave.

It answers as the hub does (https://huggingface.co/docs/hub/api): small files directly with git's hash as ETag, files of Git LFS by a
redirect with ``X-Linked-ETag``. Like a storage service's, the CDN's signed addresses refuse a request that has a token.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

#: variables of the environment that would lead a loader elsewhere
STRANGERS = (
    "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TUNESMITH_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY",
)  # fmt: skip


@dataclass
class Fault:
    """What goes wrong with requests for a file (or, for API requests, ``api``), `times` times.

    Args:
        status, headers: answer with this status instead.
        cut_after: end the connection after so many bytes of the body.
        corrupt: flip the bits of the byte at this position of the file.
        delay: seconds between two chunks of 64 KiB.
        ignore_range: send the whole file.
    """

    file: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int = -1
    corrupt: int = -1
    delay: float = 0.0
    ignore_range: bool = False


@dataclass
class Seen:
    """A request that was answered: `sent` counts the body's bytes."""

    path: str
    range: str
    token: str
    status: int = 0
    sent: int = 0


@dataclass
class Repo:
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_lfs(name: str) -> bool:
    return name.endswith((".safetensors", ".gguf", ".bin", ".model"))


class HubServer:
    """``with HubServer() as hub``; its address is `hub.url`."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[str, tuple[str, bytes]] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.token = "hf_test"
        self.signature = 1  # addresses signed with another one have expired
        self.lock = threading.Lock()
        self.streaming = threading.Event()

    def add(self, repo: str, files: dict[str, bytes], revision: str = "main", **flags: bool) -> str:
        """A new commit on `revision`; its hash."""
        commit = hashlib.sha1(repr((repo, revision, sorted(files.items()))).encode()).hexdigest()
        entry = self.repos.setdefault(repo, Repo(**flags))
        entry.commits[commit] = files
        entry.refs[revision] = commit
        for name, data in files.items():
            self.blobs[hashlib.sha256(data).hexdigest()] = (name, data)
        return commit

    def fault(self, file: str, **what) -> Fault:
        self.faults.append(Fault(file, **what))
        return self.faults[-1]

    def take_fault(self, name: str) -> Fault:
        with self.lock:
            for fault in self.faults:
                if fault.file == name and fault.times:
                    fault.times -= 1
                    return fault
        return Fault(name)

    def sent(self, part: str = "") -> int:
        """Bytes of bodies sent for requests whose path contains `part`."""
        return sum(seen.sent for seen in self.seen if part in seen.path)

    def __enter__(self) -> HubServer:
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self})) for _ in range(2)]
        self.url, self.cdn = (f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers)
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        self.record = Seen(path, self.headers.get("Range") or "", token)
        with self.hub.lock:
            self.hub.seen.append(self.record)
        try:
            if path.startswith("/cdn/"):
                self.cdn(path.removeprefix("/cdn/"), token)
            elif path.startswith("/api/models/"):
                self.api(path.removeprefix("/api/models/"), token)
            else:
                repo, _, rest = path.strip("/").partition("/resolve/")
                self.resolve(repo, rest, token)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # --- the hub ---------------------------------------------------------------------------------------------------------------------

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
        fault = self.hub.take_fault("api")
        if fault.status:
            return self.answer(fault.status, b"{}", fault.headers)
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
        if not is_lfs(file):
            return self.content(file, data, facts | {"ETag": f'"{git_hash(data)}"'})
        fault = self.hub.take_fault("resolve:" + file)
        if fault.status:
            return self.answer(fault.status, b"", fault.headers)
        digest = hashlib.sha256(data).hexdigest()
        linked = {"X-Linked-ETag": f'"{digest}"', "X-Linked-Size": str(len(data))}
        location = f"{self.hub.cdn}/cdn/{digest}/{file}?signature={self.hub.signature}"
        return self.answer(302, b"", facts | linked | {"Location": location})

    # --- the content delivery network ------------------------------------------------------------------------------------------------

    def cdn(self, path: str, token: str) -> None:
        if token:
            return self.answer(400, b"Only one auth mechanism allowed")
        if urlsplit(self.path).query != f"signature={self.hub.signature}":
            return self.answer(403, b"Request has expired")
        name, data = self.hub.blobs[path.partition("/")[0]]
        return self.content(name, data, {})

    # --- answers ---------------------------------------------------------------------------------------------------------------------

    def content(self, name: str, data: bytes, headers: dict[str, str]) -> None:
        fault = self.hub.take_fault(name)
        if fault.status:
            return self.answer(fault.status, b"", fault.headers)
        start, end = 0, len(data)
        wanted = self.headers.get("Range")
        if wanted and not fault.ignore_range:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1 if last else len(data), len(data))
            if start >= end:
                return self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        if fault.corrupt >= 0:
            data = data[: fault.corrupt] + bytes([data[fault.corrupt] ^ 0xFF]) + data[fault.corrupt + 1 :]
        partial = bool(wanted) and not fault.ignore_range
        self.record.status = 206 if partial else 200
        self.send_response(self.record.status)
        for key, value in headers.items():
            self.send_header(key, value)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.command == "HEAD":
            return None
        stop = end if fault.cut_after < 0 else min(end, start + fault.cut_after)
        for at in range(start, stop, 65536):
            chunk = data[at : min(at + 65536, stop)]
            self.wfile.write(chunk)
            self.record.sent += len(chunk)
            if fault.delay:
                self.hub.streaming.set()
                time.sleep(fault.delay)
        if stop < end:
            self.close_connection = True
        return None

    def json(self, value: object) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def refuse(self, status: int, code: str, message: str) -> None:
        self.answer(status, b"", {"X-Error-Code": code, "X-Error-Message": message})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.record.status = status
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
