"""A hub on this machine for tests of loaders: a real HTTP server, a content delivery network on another port, both able to misbehave.

A test's hub derives from `LoopbackHub` and `LoopbackHandler` and answers as the real one does. Like a storage service's, the CDN's signed
addresses refuse a request that has a token.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

#: variables of the environment that would lead a loader elsewhere
STRANGERS = (
    "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TUNESMITH_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "MODELSCOPE_API_TOKEN", "MODELSCOPE_DOMAIN",
    "TUNESMITH_MODELERS_TOKEN", "TUNESMITH_OCI_TOKEN", "TUNESMITH_OCI_ENDPOINT", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY",
)  # fmt: skip

_CHUNK = 65536


@dataclass
class Fault:
    """What goes wrong with requests for a file (or, for API requests, ``api``), `times` times.

    Args:
        status, headers: answer with this status instead.
        cut_after: end the connection after so many bytes of the body.
        corrupt: flip the bits of the byte at this position of the file; `once`: the first time that it goes out, a
            look at whether ranges are served (of one byte) not counted.
        size: serve so many bytes as the whole file.
        delay: seconds between two chunks of 64 KiB.
        ignore_range: send the whole file.

    Of requests that bring something (`LoopbackHandler.receive`) the file is ``put``: `status` answers them, `cut_after` ends the connection
    after so many bytes were read, `corrupt` flips the bits of the byte at this position.
    """

    file: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int = -1
    corrupt: int = -1
    once: bool = False
    size: int = -1
    delay: float = 0.0
    ignore_range: bool = False


@dataclass
class Seen:
    """A request that was answered: `sent` and `received` count the bodies' bytes."""

    path: str
    range: str
    token: str
    status: int = 0
    sent: int = 0
    received: int = 0


@dataclass
class Repo:
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False


def is_lfs(name: str) -> bool:
    """Whether hubs keep such a file outside of git."""
    return name.endswith((".safetensors", ".gguf", ".bin", ".model"))


class LoopbackHub:
    """``with SomeHub() as hub``; its address is `hub.url`."""

    handler: ClassVar[type[LoopbackHandler]]
    token: str = "test-token"

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[str, tuple[str, bytes]] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
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

    def fault(self, file: str, **what: Any) -> Fault:
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

    def __enter__(self) -> LoopbackHub:
        made = type("Handler", (self.handler,), {"hub": self})
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), made) for _ in range(2)]
        self.url, self.cdn = (f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers)
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers a request; `route` is the hub's own."""

    hub: Any
    protocol_version = "HTTP/1.1"

    def route(self, path: str, query: Mapping[str, str], token: str) -> None:
        """Answer a request to the hub, whose path is unquoted."""
        raise NotImplementedError

    def receive(self, path: str, query: Mapping[str, str], token: str, body: bytes) -> None:
        """Answer a request that brings something."""
        raise NotImplementedError

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        path, query, token = self._seen()
        try:
            self.receive(path, {key: values[0] for key, values in parse_qs(query).items()}, token, self._body())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815

    def _body(self) -> bytes:
        fault = self.hub.take_fault("put") if self.command in ("PUT", "PATCH") else Fault("put")
        if fault.cut_after >= 0:
            self.rfile.read(fault.cut_after)
            self.connection.close()
            raise ConnectionResetError
        body = (
            b"".join(self._chunks()) if self.headers.get("Transfer-Encoding") else self.rfile.read(int(self.headers["Content-Length"] or 0))
        )
        self.record.received = len(body)
        if fault.status:
            self.answer(fault.status, b"", fault.headers)
            raise ConnectionResetError
        at = fault.corrupt
        return body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :] if 0 <= at < len(body) else body

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _seen(self) -> tuple[str, str, str]:
        """(Path, query, token) of the request, which is written down."""
        address = urlsplit(self.path)
        path = unquote(address.path)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        self.record = Seen(path, self.headers.get("Range") or "", token)
        with self.hub.lock:
            self.hub.seen.append(self.record)
        return path, address.query, token

    def do_GET(self) -> None:
        path, query, token = self._seen()
        try:
            if path.startswith("/cdn/"):
                self._cdn(path.removeprefix("/cdn/"), query, token)
            else:
                self.route(path, {key: values[0] for key, values in parse_qs(query).items()}, token)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def faulty_api(self) -> bool:
        """Whether this request to the API was answered by a fault."""
        fault = self.hub.take_fault("api")
        if fault.status:
            self.answer(fault.status, b"{}", fault.headers)
        return bool(fault.status)

    def to_cdn(self, name: str, data: bytes, headers: Mapping[str, str]) -> None:
        """A redirect to where the file's bytes are."""
        fault = self.hub.take_fault("resolve:" + name)
        if fault.status:
            return self.answer(fault.status, b"", fault.headers)
        digest = hashlib.sha256(data).hexdigest()
        linked = {"X-Linked-ETag": f'"{digest}"', "X-Linked-Size": str(len(data))}
        location = f"{self.hub.cdn}/cdn/{digest}/{name}?signature={self.hub.signature}"
        return self.answer(302, b"", {**headers, **linked, "Location": location})

    def _cdn(self, path: str, query: str, token: str) -> None:
        if token or self.headers.get("Cookie"):
            return self.answer(400, b"Only one auth mechanism allowed")
        if query != f"signature={self.hub.signature}":
            return self.answer(403, b"Request has expired")
        name, data = self.hub.blobs[path.partition("/")[0]]
        return self.content(name, data, {})

    def content(self, name: str, data: bytes, headers: Mapping[str, str], ranges: bool = True) -> None:
        """The bytes that were asked for, with what goes wrong with them."""
        fault = self.hub.take_fault(name)
        if fault.status:
            return self.answer(fault.status, b"", fault.headers)
        if fault.size >= 0:
            data = (data + bytes(fault.size))[: fault.size]
        start, end = 0, len(data)
        wanted = self.headers.get("Range") if ranges and not fault.ignore_range else None
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1 if last else len(data), len(data))
            if start >= end:
                return self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        if start <= fault.corrupt < end:
            fault.times = 0 if fault.once and end - start > 1 else fault.times
            data = data[: fault.corrupt] + bytes([data[fault.corrupt] ^ 0xFF]) + data[fault.corrupt + 1 :]
        self.record.status = 206 if wanted else 200
        self.send_response(self.record.status)
        for key, value in headers.items():
            self.send_header(key, value)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.command == "HEAD":
            return None
        stop = end if fault.cut_after < 0 else min(end, start + fault.cut_after)
        for at in range(start, stop, _CHUNK):
            chunk = data[at : min(at + _CHUNK, stop)]
            self.wfile.write(chunk)
            self.record.sent += len(chunk)
            if fault.delay:
                self.hub.streaming.set()
                time.sleep(fault.delay)
        if stop < end:
            self.close_connection = True
        return None

    def json(self, value: object, status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.record.status = status
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
