"""One rank of a step: its process, its connection, and what it answered."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.worker_process import Process
from tunesmith.errors import TunesmithError
from tunesmith.isolation import protocol

_INITIALIZE, _RUN, _SHUTDOWN = 1, 2, 3
_READS = 64  # at a time, so that one worker's flood does not drown the others


class Rank:
    """The LSP lifecycle with one worker: welcome (initialize, run), hear, shutdown."""

    def __init__(self, number: int, step: Mapping[str, Any]) -> None:
        self.number, self.step = number, step
        self.process: Process | None = None
        self.connection: protocol.Connection | None = None
        self.stdout = self.stderr = Path()
        self.result: Mapping[str, Any] | None = None
        self.error: TunesmithError | None = None
        self.died = self.closed = False
        self.failed_at = 0.0  #: when its error was heard of
        self.heard_at = time.monotonic()  #: when it last said anything
        self.progress: Mapping[str, Any] = {}  #: what it last said of how far it is
        self._decoder = protocol.Decoder()
        self._entry = ""

    def welcome(self, sock: socket.socket, token: str, entry: str) -> None:
        sock.setblocking(True)
        self.connection, self._entry = protocol.Connection(sock), entry
        self._send(protocol.request(_INITIALIZE, "initialize", {"token": token, "rank": self.number, "protocol": protocol.VERSION}))

    def hear(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """What has arrived, without waiting: notifications as (method, params); responses are kept."""
        assert self.connection is not None
        for _ in range(_READS):
            if self.closed:
                return
            try:
                data = self.connection.socket.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.closed = True
                return
            try:
                for message in self._decoder.feed(data):
                    if "id" in message:
                        self._answered(message)
                    else:
                        method, params = str(message.get("method")), message.get("params", {})
                        protocol.check_report(method, params)
                        self.heard_at = time.monotonic()
                        if method == "$/progress":
                            self.progress = params
                        yield method, params
            except TunesmithError as error:  # not our protocol: nothing that follows can be trusted
                self.fail(error, died=True)
                self.closed = True

    def _answered(self, message: protocol.Message) -> None:
        result, error = message.get("result"), message.get("error")
        if error is not None:
            data = error.get("data") if isinstance(error, dict) else None
            if not isinstance(data, dict) or not {"code", "what"} <= set(data):
                raise protocol.garbage(f"the error {str(error)[:60]}")
            self.fail(TunesmithError.from_json(data))
        elif not isinstance(result, dict):
            raise protocol.garbage(f"the result {str(result)[:60]}")
        elif message["id"] == _INITIALIZE and result.get("protocol") not in protocol.SPOKEN:
            told = ", ".join(f"{name} {result[name]}" for name in ("tunesmith", "python") if name in result)
            self.fail(protocol.no_common(result.get("protocol"), protocol.VERSION, told))
        elif message["id"] == _INITIALIZE:
            self._send(protocol.request(_RUN, "run", {"entry": self._entry, "step": self.step}))
        elif message["id"] == _RUN:
            self.result = {"format": "", "refs": {}, "metrics": {}, "meta": {}, **result}

    def fail(self, error: TunesmithError, *, died: bool = False) -> None:
        """It did not end as it should.

        Args:
            died: its process ended of itself, which is what the others' errors come from.
        """
        self.error, self.died, self.failed_at = error, died, time.monotonic()

    def cancel(self) -> None:
        self._send(protocol.notification("$/cancel", {}))

    def shutdown(self) -> None:
        if self.result is not None or self.error is not None:
            self._send(protocol.request(_SHUTDOWN, "shutdown", {}))

    def _send(self, message: protocol.Message) -> None:
        if self.connection is not None and not self.closed:
            try:
                self.connection.send(message)
            except OSError:
                self.closed = True  # its process has ended, which `Workers.tick` will tell
