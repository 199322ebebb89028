"""One place that listens to all sockets of a run, so that a service is heard while a step runs."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable


class SocketSelector:
    """Sockets and what to call when one has something to read. Everything happens in the thread that calls `pump`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def connect(self, sock: socket.socket, ready: Callable[[], None]) -> None:
        self._selector.register(sock, selectors.EVENT_READ, ready)

    def disconnect(self, sock: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):  # it is not, or no longer, listened to
            self._selector.unregister(sock)

    def pump(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for something, and handle all that is there."""
        for key, _ in self._selector.select(timeout):
            if key.fileobj in self._selector.get_map():  # an earlier call of this round may have taken it off
                key.data()

    def close(self) -> None:
        self._selector.close()
