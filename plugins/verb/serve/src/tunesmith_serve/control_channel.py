"""The control channel of a model that is served while it is trained elsewhere: HTTP over a Unix socket, with bodies of JSON.

The socket lies in a directory that only this user may enter, so nobody else on the machine, and no page in a browser, can ask it: there is
no secret that a log or a report could tell.

| route | body | answer |
|---|---|---|
| ``POST /load`` | ``format``, ``path`` (a directory), ``version`` | ``version`` |
| ``POST /sleep``, ``POST /wake`` | nothing: ``{}`` | ``{}``; of an endpoint with the fact ``sleeps`` |
| ``POST /complete`` | ``prompts``, ``seeds`` of each, ``options`` (`SamplingOptions`) | ``completions`` by prompt (`SampledCompletion`) |

An answer with the status 200 is as above. Else it is 409 with an error's ``code``, ``what``, ``why`` and ``fix`` where what was asked can't
be done, 503 with ``why`` where the engine is not there, 400 with ``why`` for a body that makes no sense. Weights wait until the engine
is up, and nothing is asked while they are loaded.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any
from urllib.parse import urlsplit

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_serve.updatable import EngineFailed, SamplingOptions, Sleeps, Updatable

POLL = 0.2  # seconds between looks at an engine that is not up
PATIENCE = 10.0  # seconds for an answer whether it is up
LARGEST = 2**28  # bytes of a body
_SOCKET, _LONGEST = "control", 100  # its name; bytes of a socket's path, which systems bound at 104 or 108
BAD, CONFLICT, GONE = 400, 409, 503


class ControlChannel:
    """Within the block, what a training step asks is passed on to the engine.

    Args:
        start_timeout: seconds that an engine which died may take to be up again.
    """

    def __init__(self, backend: Updatable, start_timeout: float) -> None:
        self._backend, self._start_timeout, self._api = backend, start_timeout, ""
        self._loading, self.sleeps = threading.Lock(), isinstance(backend, Sleeps) and backend.sleeps
        self._folder = _folder()
        self.socket = self._folder / _SOCKET
        self._server = _Server(str(self.socket), _Handler)
        self._server.channel = self

    def __enter__(self) -> ControlChannel:
        threading.Thread(target=self._server.serve_forever, name="control-channel", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def told(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts of the endpoint, with those of the channel; what is asked goes there from now on."""
        self._api = str(facts["url"])
        told = {"distance": dict(self._backend.distance), "takes": list(self._backend.takes), "sleeps": self.sleeps}
        return {**facts, "control": str(self.socket), **told}

    def answer(self, route: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """
        Raises:
            TunesmithError: what was asked can't be done.
            EngineFailed: the engine is not there.
            LookupError, TypeError, ValueError: the body makes no sense.
        """
        if route == "/load":
            weights, version = Artifact(str(asked["format"]), Path(asked["path"])), int(asked["version"])
            if weights.format not in self._backend.takes:
                raise ValueError(f"it takes {' and '.join(self._backend.takes)}, and no {weights.format}")
            with self._loading:
                self._wait_until_up()
                self._backend.load(self._api, weights, version)
            return {"version": version}
        if route in ("/sleep", "/wake"):
            with self._loading:
                self._wait_until_up()
                (self._backend.sleep if route == "/sleep" else self._backend.wake)(self._api)  # type: ignore[attr-defined]
            return {}
        prompts, seeds = [list(map(int, prompt)) for prompt in asked["prompts"]], list(map(int, asked["seeds"]))
        if len(prompts) != len(seeds):
            raise ValueError(f"{len(prompts)} prompts and {len(seeds)} seeds")
        with self._loading:
            found = self._backend.complete(self._api, prompts, seeds, SamplingOptions.from_json(asked["options"]))
        return {"completions": [[asdict(one) for one in own] for own in found]}

    def _wait_until_up(self) -> None:
        until = time.monotonic() + self._start_timeout
        while not self._is_up():
            if time.monotonic() > until:
                raise EngineFailed(f"it was not up within {self._start_timeout:g} s")
            time.sleep(POLL)

    def _is_up(self) -> bool:
        place = urlsplit(self._api)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE)
        with contextlib.suppress(OSError, HTTPException):
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            finally:
                connection.close()
        return False


def _folder() -> Path:
    """A new one that only this user may enter (0700), whose path is short enough for a socket in it."""
    found = Path(tempfile.mkdtemp(prefix="tunesmith-"))
    if len(os.fsencode(found / _SOCKET)) <= _LONGEST:
        return found
    found.rmdir()
    return Path(tempfile.mkdtemp(prefix="tunesmith-", dir="/tmp"))


class ControlConnection(HTTPConnection):
    """To the channel whose socket this is."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    request_queue_size = 16
    channel: ControlChannel


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        status, body = self._answered()
        data = json.dumps(body).encode()
        with contextlib.suppress(OSError):  # who asked is gone
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def _answered(self) -> tuple[int, dict[str, Any]]:
        try:
            body = self.rfile.read(self._length())  # even where nothing answers it: who still sends finds the pipe broken else
            if self.path not in ("/load", "/complete", *(("/sleep", "/wake") if self.server.channel.sleeps else ())):
                raise LookupError(f"there is no {self.path[:100]}")
            return 200, self.server.channel.answer(self.path, json.loads(body))
        except TunesmithError as error:
            return CONFLICT, {"code": error.code, "what": error.what, "why": error.why, "fix": error.fix}
        except EngineFailed as error:
            return GONE, {"why": str(error)}
        except (LookupError, TypeError, ValueError) as error:
            return BAD, {"why": f"{type(error).__name__}: {error}"}

    def _length(self) -> int:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= LARGEST:
            raise ValueError(f"a body of {length} bytes")
        return length

    def log_message(self, *args: object) -> None:
        """Quiet: the training step says what it asks."""
