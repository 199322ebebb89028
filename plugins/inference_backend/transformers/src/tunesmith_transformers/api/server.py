"""The HTTP server's thread, and the socket it listens on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import uvicorn

from tunesmith.contracts import Address, port_in_use
from tunesmith.contracts.kinds.inference_backend import KILL_AFTER
from tunesmith_serve.client_connection import Connection
from tunesmith_transformers.api import service
from tunesmith_transformers.api.request.request_sequences import fan_out
from tunesmith_transformers.engine.engine import Deliveries

LAST_WORDS = 6  # seconds of `KILL_AFTER` in which clients may take the error that ends their answers


def listen(address: Address) -> socket.socket:
    """A socket bound to the address, before anything slow is done.

    Raises:
        UserError: TS-SERVE-001 when that is not possible.
    """
    try:
        return port_in_use.listen(address.host, address.port, 2048)  # now: a second server must not be able to bind while this one loads
    except OSError as error:
        raise port_in_use.not_free(address.host, address.port, error) from error


def url_of(listener: socket.socket) -> str:
    """Where clients on this machine find the API."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


class HttpServer:
    """uvicorn in a thread of its own, with its own event loop."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app, http=Connection.patient(service.PATIENCE), log_level="warning", access_log=False, lifespan="off", ws="none",
            timeout_keep_alive=int(service.PATIENCE), timeout_graceful_shutdown=LAST_WORDS,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._listener = listener
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._server.serve(sockets=[self._listener]))

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def deliver(self, out: Deliveries) -> None:
        """Bring a step's deltas to the event loop; called by the engine's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for this any more
            self._loop.call_soon_threadsafe(fan_out, out)

    def stop(self) -> None:
        """Close connections and end the thread."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(KILL_AFTER)
