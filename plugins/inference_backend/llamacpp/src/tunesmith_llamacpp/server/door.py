"""The door: every connection is handed through to llama.cpp's own server, but for requests with `echo`, which are answered here.

One request a connection (``Connection: close``): then what comes back is passed on as bytes, streams included, without a look at it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tunesmith_llamacpp.server.echo import BadRequest, Echo
from tunesmith_llamacpp.server.upstream import Refused

LARGEST_HEAD, LARGEST_BODY = 2**16, 2**24
UNREAD = 2**20  # bytes that a client may be behind
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HOP = re.compile(rb"\r\n(connection|keep-alive): *[^\r]*", re.IGNORECASE)
_COMPLETIONS = re.compile(rb"POST (/v1)?/completions[ ?]")


class Door:
    """Listens for clients.

    Args:
        echo: answers what llama.cpp does not.
        slots: how many such answers are under way at a time.
    """

    def __init__(self, echo: Echo, slots: int) -> None:
        self.echo = echo
        self.pool = ThreadPoolExecutor(slots, "echo")
        self.open: set[asyncio.Task[None]] = set()

    async def serve(self, host: str, port: int, stop: asyncio.Event, ready: Callable[[], None], grace: float) -> None:
        """Until `stop`; what is under way then has `grace` seconds."""
        server = await asyncio.start_server(self._client, host, port, limit=LARGEST_HEAD, backlog=2048)
        ready()
        await stop.wait()
        server.close()
        if self.open:
            await asyncio.wait(self.open, timeout=grace)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            await self._request(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it hung up, or does not speak HTTP
        finally:
            self.open.discard(task)
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = b""
        length = _LENGTH.search(head)
        if _COMPLETIONS.match(head) and length and int(length[1]) <= LARGEST_BODY:
            if re.search(rb"\r\nexpect: *100-continue", head, re.IGNORECASE):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(length[1]))
            request = _scores(body)
            if request is not None:
                return await self._scored(request, writer)
        await self._hand_through(head, body, reader, writer)

    async def _scored(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        try:
            status, reply = 200, await asyncio.get_running_loop().run_in_executor(self.pool, self.echo.answer, request)
        except BadRequest as error:
            status, reply = 400, {"error": {"code": 400, "message": str(error), "type": "invalid_request_error"}}
        except Refused as error:
            status, reply = error.status, {"error": {"code": error.status, "message": str(error), "type": "server_error"}}
        data = json.dumps(reply, ensure_ascii=False).encode()
        reason = {200: "OK", 400: "Bad Request"}.get(status, "Error")
        head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()

    async def _hand_through(self, head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = self.echo.upstream
        answer = Answer(writer)
        back, _ = await asyncio.get_running_loop().create_connection(lambda: answer, upstream.host, upstream.port)
        back.write(_HOP.sub(b"", head[:-2]) + b"Connection: close\r\n\r\n" + body)
        sending = asyncio.create_task(_pass_on(reader, back))
        try:
            # Whoever hangs up first ends it: an answer that nobody waits for any more frees its slot.
            await asyncio.wait({sending, answer.ended}, return_when=asyncio.FIRST_COMPLETED)
            await writer.drain()
        finally:
            sending.cancel()
            back.abort()


class Answer(asyncio.Protocol):
    """Passes on what llama.cpp's server says, a chunk as it comes; waits for a client that reads too slowly."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.writer.write(data)
        if self.writer.transport.get_write_buffer_size() > UNREAD and not self.transport.is_closing():
            self.transport.pause_reading()
            self._waiting = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        with contextlib.suppress(OSError):
            await self.writer.drain()
            self.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def _pass_on(source: asyncio.StreamReader, target: asyncio.WriteTransport) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            target.write(data)


def _scores(body: bytes) -> dict[str, Any] | None:
    """The request, if it asks for an echo."""
    if b'"echo"' not in body:
        return None
    try:
        request = json.loads(body)
    except ValueError:
        return None  # llama.cpp says what is wrong with it
    return request if isinstance(request, dict) and request.get("echo") else None
