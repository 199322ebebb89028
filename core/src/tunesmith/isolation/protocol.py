"""JSON-RPC 2.0 over a stream socket, framed by ``Content-Length`` as in the Language Server Protocol. Bytes, never pickles (law L3).

Requests go from the host to the worker: ``initialize`` {token, rank, protocol} -> {python, pid, tunesmith, protocol}, where the worker
says which version both will speak; ``run`` {entry, step} -> {format, refs, metrics, meta}; ``shutdown``. Notifications from the worker:
``$/hello`` {token, rank} (the first message, so that the token is never told to a stranger), ``$/progress``, ``$/log``, ``$/metric``,
``$/decision``, ``$/ready``, ``$/usage`` (the last, when a step is over); from the host: ``$/cancel``. The error of a response carries
`TunesmithError.to_json` in its ``data``.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.errors import TunesmithError

VERSION = 1
#: This version and the one before (law L7): an executor may start workers in an installation of its own, on a cluster or in a container.
SPOKEN = (VERSION - 1, VERSION)
MAX_HEADER = 256  # bytes up to the blank line
MAX_BODY = 64 * 2**20
CRASHED = -32000  # JSON-RPC's range for the server's own errors
CANCELLED = -32800  # as in the Language Server Protocol

Message = Mapping[str, Any]

_NUMBER = (int, float)
_REPORTS: Mapping[str, Mapping[str, Any]] = {
    "$/progress": {"done": _NUMBER, "total": (*_NUMBER, type(None)), "what": str, "unit": str},
    "$/log": {"message": str, "level": str},
    "$/metric": {"name": str, "value": _NUMBER, "at": int},
    "$/decision": {"what": str, "reason": str},
    "$/usage": {"peak_memory": int},
}


def common(version: object) -> int | None:
    """The version to speak with one who speaks `version`, the lower of both; None if this side does not speak it."""
    lower = min(version, VERSION) if isinstance(version, int) else None
    return lower if lower in SPOKEN else None


def no_common(worker: object, host: object, where: str = "") -> TunesmithError:
    """TS-RUN-005, naming the side to upgrade.

    Args:
        where: what is known of the worker's installation.
    """
    older = isinstance(worker, int) and isinstance(host, int) and host < worker
    here = "on this machine, where you start runs" if older else "where the worker runs: the cluster's environment, the container's image"
    return TunesmithError(
        "TS-RUN-005", f"The worker{where and f' ({where})'} speaks version {worker} of the worker protocol, this host version {host}",
        why="The executor starts workers in an installation of its own, and each side takes its own version and the one before.",
        fix=f"Upgrade tunesmith {here}.",
    )  # fmt: skip


def request(id: int, method: str, params: Mapping[str, Any]) -> Message:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def notification(method: str, params: Mapping[str, Any]) -> Message:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def response(id: int, result: Mapping[str, Any]) -> Message:
    return {"jsonrpc": "2.0", "id": id, "result": result}


def failure(id: int, code: int, error: TunesmithError) -> Message:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": str(error), "data": error.to_json()}}


def check_report(method: str, params: Mapping[str, Any]) -> None:
    """Raise TS-RUN-002 for a known notification of a worker whose fields are not what they should be."""
    for name, kinds in _REPORTS.get(method, {}).items():
        if not isinstance(params.get(name, ...), kinds):
            raise garbage(f"{method} with {name} = {params.get(name)!r}")


def encode(message: Message) -> bytes:
    """One framed message. Non-finite numbers are written as Python writes them (NaN), so that a diverged loss can be told."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Decoder:
    """Bytes in, messages out, however they were cut on the way."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages complete with `data`.

        Raises:
            TunesmithError: TS-RUN-002 for what is no message.
        """
        self._buffer += data
        while True:
            end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEADER)
            if end < 0:
                if len(self._buffer) >= MAX_HEADER:
                    raise garbage("a header without an end")
                return
            length = _length(bytes(self._buffer[:end]))
            if len(self._buffer) < end + 4 + length:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            del self._buffer[: end + 4 + length]
            yield _message(body)


def _length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit() and len(value) < 12:
            length = int(value)
            if length <= MAX_BODY:
                return length
            raise garbage(f"a message of {length} bytes; the limit is {MAX_BODY}")
    raise garbage(f"the header {header[:60]!r}")


def _message(body: bytes) -> Message:
    try:
        message = json.loads(body.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise garbage(f"the body {body[:60]!r}") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("params", {}), dict):
        raise garbage(f"the body {body[:60]!r}")
    return message


def garbage(what: str) -> TunesmithError:
    return TunesmithError(
        "TS-RUN-002", f"What came over the worker's socket is not the worker protocol: {what}",
        why="Something other than this version's worker wrote to it.",
        fix="Run the step again. If it stays, `tunesmith doctor` shows whether host and worker have the same version.",
    )  # fmt: skip


class Connection:
    """A socket with messages on it. `send` may be called from any thread; `receive` from one."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._lock = threading.Lock()
        self._decoder = Decoder()
        self._ready: list[Message] = []

    def send(self, message: Message) -> None:
        self.write(encode(message))

    def write(self, data: bytes) -> None:
        """Send what is encoded already."""
        with self._lock:
            self.socket.sendall(data)

    def receive(self) -> Message | None:
        """The next message, waiting for it; None when the other side has closed."""
        while not self._ready:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self._ready.extend(self._decoder.feed(data))
        return self._ready.pop(0)

    def close(self) -> None:
        self.socket.close()
