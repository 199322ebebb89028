"""The gateway's process: two listeners (clients, and commands of this machine), looks at the servers, a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from tunesmith.contracts import port_in_use
from tunesmith.contracts.cache_files import write_note
from tunesmith_gateway import NOTES
from tunesmith_gateway.app import Gateway
from tunesmith_gateway.clients.api_keys import KeyStore
from tunesmith_gateway.control import Control
from tunesmith_gateway.proxy.proxy import Proxy
from tunesmith_gateway.routing.endpoint_discovery import EndpointDirectory
from tunesmith_gateway.settings import GatewaySettings
from tunesmith_gateway.telemetry.access_log import AccessLog
from tunesmith_gateway.telemetry.metrics import Metrics
from tunesmith_gateway.telemetry.traces import Traces
from tunesmith_serve.client_connection import Connection

BACKLOG = 2048
POLL = 0.05  # seconds between looks at what still runs when the gateway ends
LAST_WORDS = 5  # seconds in which clients may take the error that ends their answers


class _Server(uvicorn.Server):
    """Signals are the gateway's affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: GatewaySettings, home: Path, told: Callable[[dict[str, Any]], None]) -> None:
    """Be a gateway until SIGTERM or Ctrl-C; a second one ends it at once.

    Args:
        told: is given what to say: that it is up, that it ends.

    Raises:
        UserError: TS-SERVE-001 when the port is in use; TS-SERVE-043 when what `traces` needs is not there.
    """
    try:
        listener = port_in_use.listen(settings.host, settings.port, BACKLOG)
    except OSError as error:
        raise port_in_use.not_free(settings.host, settings.port, error) from None
    with listener, port_in_use.listen("127.0.0.1", 0) as inner:
        asyncio.run(_serve(settings, home, listener, inner, told))


async def _serve(
    settings: GatewaySettings, home: Path, listener: socket.socket, inner: socket.socket, told: Callable[[dict[str, Any]], None]
) -> None:
    directory, metrics = await asyncio.to_thread(EndpointDirectory, settings, home), Metrics()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    timeout = httpx.Timeout(None, connect=settings.connect_timeout)
    keys, traces, log = KeyStore(settings), Traces(settings.traces), AccessLog(settings.access_log, settings.access_log_contents)
    keys.load()
    async with httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False, headers={"Accept-Encoding": "identity"}) as client:
        gateway = Gateway(settings, directory, keys, Proxy(settings, client, metrics), metrics, log, traces)
        token = secrets.token_urlsafe(32)
        tls = {"ssl_certfile": settings.tls_certificate or None, "ssl_keyfile": settings.tls_key or None}
        outer = _server(gateway.app(), settings.client_timeout, **tls)
        control = _server(Control(gateway, client, token), settings.client_timeout)
        servers = [asyncio.ensure_future(outer.serve([listener])), asyncio.ensure_future(control.serve([inner]))]
        looking = asyncio.ensure_future(_look(gateway, client))
        stop = _signals()
        url = _url(listener, "https" if settings.tls_certificate else "http")
        note = home / NOTES / f"{os.getpid()}.json"
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = os.umask(0o077)  # the token is the owner's alone
        try:
            write_note(note, {"pid": os.getpid(), "url": url, "control": _url(inner, "http"), "token": token})
        finally:
            os.umask(before)
        try:
            while not (outer.started and control.started):
                await asyncio.sleep(POLL)
            told({"event": "gateway_ready", "url": url + "/v1", "models": sorted(directory.routes.by_name), "pid": os.getpid()})
            waiting = asyncio.ensure_future(stop.wait())
            await asyncio.wait({waiting, *servers}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            await _drain(gateway, stop, told)
        finally:
            note.unlink(missing_ok=True)
            looking.cancel()
            outer.should_exit = control.should_exit = True
            await asyncio.gather(*servers, looking, return_exceptions=True)
            log.close()
            await asyncio.to_thread(traces.close)


async def _drain(gateway: Gateway, stop: asyncio.Event, told: Callable[[dict[str, Any]], None]) -> None:
    """Take nothing new; let running requests end; end those that still run after `shutdown_grace` so that their clients know."""
    gateway.draining = True
    told({"event": "gateway_stopping", "running": gateway.running})
    stop.clear()
    loop = asyncio.get_running_loop()
    until = loop.time() + gateway.settings.shutdown_grace
    while gateway.running and loop.time() < until and not stop.is_set():
        await asyncio.sleep(POLL)
    gateway.proxy.over.set()
    until = loop.time() + LAST_WORDS
    while gateway.running and loop.time() < until:
        await asyncio.sleep(POLL)


async def _look(gateway: Gateway, client: httpx.AsyncClient) -> None:
    """See who is there, again and again."""
    directory = gateway.directory
    while True:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(directory.refresh)
        directory.follow()
        await asyncio.gather(*(upstream.look(client) for upstream in directory.routes.upstreams()))
        await asyncio.sleep(gateway.settings.health_interval)


def _signals() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _server(app: Any, patience: float, **more: Any) -> _Server:
    config = uvicorn.Config(
        app, http=Connection.patient(patience), log_level="critical", access_log=False, lifespan="off", ws="none",
        timeout_keep_alive=int(patience) or 1, timeout_graceful_shutdown=LAST_WORDS, server_header=False, backlog=BACKLOG, **more,
    )  # fmt: skip
    return _Server(config)


def _url(listener: socket.socket, scheme: str) -> str:
    """Where clients on this machine find it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
