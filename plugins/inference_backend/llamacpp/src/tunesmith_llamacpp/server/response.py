"""What llama.cpp's server answers, on its way to a client."""

from __future__ import annotations

import asyncio
import contextlib
import json
from http import HTTPStatus
from typing import Any

UNREAD = 2**20  # bytes that a client may be behind
PATIENCE = 30.0  # seconds for a client to take some of them
SHUT_DOWN = {"error": {"code": 503, "message": "The server shut down before the answer was complete.", "type": "unavailable_error"}}


def reply(status: int, body: dict[str, Any]) -> bytes:
    """A whole answer of the proxy's own."""
    data = json.dumps(body, ensure_ascii=False).encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + data


def refusal(status: int, message: str) -> bytes:
    return reply(status, {"error": {"code": status, "message": message, "type": "invalid_request_error"}})


def whose_fault(failure: bytes) -> bytes:
    """A 500 as it came, or the 400 that it should have been: llama.cpp blames itself for tools that it can't read."""
    try:
        message = json.loads(failure.partition(b"\r\n\r\n")[2])["error"]["message"]
    except (ValueError, LookupError, TypeError):
        return failure
    return refusal(400, message) if str(message).startswith("Failed to parse") else failure


class Chunks:
    """Follows the bytes of an answer, to know where a stream of events can be ended: between two chunks (RFC 9112, 7.1)."""

    def __init__(self) -> None:
        self.begun = self.events = self.ended = False
        self._line = b""  # of the head or of a chunk's size, as far as it came
        self._left = 0  # bytes of the chunk that are still to come

    @property
    def between(self) -> bool:
        return self.events and not self.ended and not self._left and not self._line

    def feed(self, data: bytes) -> None:
        while data and (not self.begun or self.events):
            if self._left:
                taken = min(self._left, len(data))
                self._left, data = self._left - taken, data[taken:]
                continue
            line, end, rest = (self._line + data).partition(b"\r\n" if self.begun else b"\r\n\r\n")
            self._line, data = (b"", rest) if end else (line, b"")
            if not end:
                return
            if self.begun:
                size = int(line.partition(b";")[0], 16)
                self._left, self.ended = size + 2, size == 0
            else:
                self.begun = True
                self.events = all(word in line.lower() for word in (b"text/event-stream", b"chunked"))


class Answer(asyncio.Protocol):
    """Passes on what llama.cpp's server says, a chunk as it comes; waits for a client that reads too slowly, but not for ever."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._chunks = Chunks()
        self._spoken = self._to_end = False
        self._failure = b""  # a 500, until it is whole
        self._waiting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._failure or (not self._spoken and data.startswith(b"HTTP/1.1 500 ")):
            self._failure += data
            return
        self._spoken = True
        self.writer.write(data)
        self._chunks.feed(data)
        if self._to_end:
            self.end()
        elif self.writer.transport.get_write_buffer_size() > UNREAD and not self.transport.is_closing():
            self.transport.pause_reading()
            self._waiting = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self.writer.drain(), PATIENCE)
            self.transport.resume_reading()
        except (OSError, asyncio.TimeoutError):
            self.writer.transport.abort()
            self.connection_lost(None)

    def end(self) -> None:
        """End it so that the client knows: a stream by an error event as soon as it is between two events, what has not begun by a 503."""
        self._to_end = True
        if self._chunks.between:
            last = b"data: " + json.dumps(SHUT_DOWN).encode() + b"\n\ndata: [DONE]\n\n"
            self.writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last))
        elif not self._spoken:
            self._failure = b""
            self.writer.write(reply(503, SHUT_DOWN))
        else:
            return
        self.transport.abort()
        self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        if self._failure:
            self.writer.write(whose_fault(self._failure))
            self._failure = b""
        with contextlib.suppress(asyncio.InvalidStateError):
            self.ended.set_result(None)
