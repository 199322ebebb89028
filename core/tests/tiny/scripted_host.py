"""A host that says what a test tells it to, to a real worker under any Python."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.isolation import protocol

TOKEN = "a token"


class ScriptedHost:
    """The other end of a worker's socket."""

    def __init__(self, process: subprocess.Popen[str], connection: protocol.Connection) -> None:
        self.process, self.connection = process, connection
        self.notified: list[protocol.Message] = []
        self._requests = 0

    def ask(self, method: str, **params: Any) -> protocol.Message:
        """A request and its response."""
        return self.response(self.request(method, **params))

    def request(self, method: str, **params: Any) -> int:
        self._requests += 1
        self.connection.send(protocol.request(self._requests, method, params))
        return self._requests

    def response(self, number: int) -> protocol.Message:
        return self._hear(lambda message: message.get("id") == number)

    def wait_for(self, method: str) -> protocol.Message:
        """Listen until this notification comes."""
        return self._hear(lambda message: message.get("method") == method)

    def _hear(self, wanted: Callable[[protocol.Message], bool]) -> protocol.Message:
        while (message := self.connection.receive()) is not None:
            if "method" in message:
                self.notified.append(message)
            if wanted(message):
                return message
        raise AssertionError(f"the worker is gone: {self.process.communicate()}")

    def told(self, method: str) -> list[Mapping[str, Any]]:
        return [message["params"] for message in self.notified if message["method"] == method]


@contextlib.contextmanager
def scripted_host(command: Sequence[str], directory: Path, **environment: str) -> Iterator[ScriptedHost]:
    """Start a worker by `command`, let it call in, and end it at the end."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / "socket"))
    listener.listen()
    listener.settimeout(60)
    told = {"TUNESMITH_ADDRESS": str(directory / "socket"), "TUNESMITH_TOKEN": TOKEN, "TUNESMITH_HOST_PID": str(os.getpid())}
    process = subprocess.Popen(
        command, env={**os.environ, **told, **environment}, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        sock, _ = listener.accept()
        sock.settimeout(60)
        host = ScriptedHost(process, protocol.Connection(sock))
        host.wait_for("$/hello")
        yield host
    finally:
        process.kill()
        process.communicate()
        with contextlib.suppress(UnboundLocalError):
            sock.close()
        listener.close()
