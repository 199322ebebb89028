"""The proxy: every connection is handed through to llama.cpp's own server, but for requests with `echo`, which are answered here.

One request a connection (``Connection: close``): then what comes back is passed on as bytes, streams included. What another server would
refuse for its clients' sake (a web page's request, half a request) is refused here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tunesmith.contracts import Address
from tunesmith_llamacpp.server.llama_client import Refused
from tunesmith_llamacpp.server.prompt_echo import BadRequest, Echo
from tunesmith_llamacpp.server.response import SHUT_DOWN, Answer, refusal, reply

LARGEST_HEAD, LARGEST_BODY = 2**16, 2**22
PATIENCE = 30.0  # seconds for a request's head, and for the next piece of its body
LAST_WORDS = 6.0  # seconds for the answers that are cut off to reach their clients
_FIELD = r"\r\n{}: *([^\r]*)"
_HOP = re.compile(rb"\r\n(connection|keep-alive|origin): *[^\r]*", re.IGNORECASE)  # without an origin it allows no other page to read
_COMPLETIONS = re.compile(rb"POST (/v1)?/completions[ ?]")


class Proxy:
    """Listens for clients.

    Args:
        echo: answers what llama.cpp does not.
        parallel: how many such answers are under way at a time.
    """

    def __init__(self, echo: Echo, parallel: int) -> None:
        self.echo = echo
        self.pool = ThreadPoolExecutor(parallel, "echo")
        self.open: set[asyncio.Task[None]] = set()
        self.answers: set[Answer] = set()
        self.cut = asyncio.Event()

    async def serve(self, address: Address, stop: asyncio.Event, ready: Callable[[], None], shutdown_grace: float) -> None:
        """Until `stop`; what is under way then has `shutdown_grace` seconds, and is ended with an error after them."""
        self.address = address
        server = await asyncio.start_server(self._client, address.host, address.port, limit=LARGEST_HEAD, backlog=2048)
        ready()
        await stop.wait()
        server.close()
        await self._closed(shutdown_grace)
        self.cut.set()
        for answer in list(self.answers):
            answer.end()
        await self._closed(LAST_WORDS)

    async def _closed(self, timeout: float) -> None:
        if self.open:
            await asyncio.wait(self.open, timeout=timeout)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            await self._request(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.TimeoutError):
            pass  # it hung up, fell silent, or does not speak HTTP
        finally:
            self.open.discard(task)
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        if refused := self._refused(head):
            return await _say(writer, refused)
        body = b""
        if head.startswith(b"POST "):
            if _value(head, "expect").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            try:
                body = await _body(reader, int(_value(head, "content-length")))
            except asyncio.TimeoutError:
                return await _say(writer, refusal(408, f"The rest of the request did not come within {PATIENCE:g} seconds."))
            if _COMPLETIONS.match(head) and b'"echo"' in body:
                scored = asyncio.get_running_loop().run_in_executor(self.pool, self._scored, body)
                cut = asyncio.create_task(self.cut.wait())
                await asyncio.wait({scored, cut}, return_when=asyncio.FIRST_COMPLETED)
                cut.cancel()
                if (said := scored.result() if scored.done() else reply(503, SHUT_DOWN)) is not None:
                    return await _say(writer, said)
        await self._hand_through(head, body, reader, writer)

    def _refused(self, head: bytes) -> bytes | None:
        """The answer to a request that is not taken in. Browsers send requests anywhere for any page, and a name of its may lead here."""
        host = _value(head, "host")
        if not self.address.answers_to(host):
            return refusal(
                403, f"This server is not `{host[:100]}`: it answers to names of this machine and of its setting `allowed_hosts`."
            )
        if head.startswith(b"OPTIONS "):
            return refusal(405, "Pages of other servers can't use this one.")
        if not head.startswith(b"POST "):
            return None
        kind, length = _value(head, "content-type").partition(";")[0].strip().lower(), _value(head, "content-length")
        if kind != "application/json":
            return refusal(415, f"The body should be JSON and say so: `Content-Type: application/json`, not `{kind[:100]}`.")
        if not re.fullmatch("[0-9]{1,12}", length) or _value(head, "transfer-encoding"):
            return refusal(411, "The request should say its `Content-Length`.")
        return refusal(413, f"The request is larger than {LARGEST_BODY} bytes.") if int(length) > LARGEST_BODY else None

    def _scored(self, body: bytes) -> bytes | None:
        """The answer to a request that asks for an echo; None for another. In a thread."""
        try:
            request = json.loads(body)
        except RecursionError:
            return refusal(400, "The body is nested too deeply.")
        except ValueError:
            return None  # llama.cpp says what is wrong with it
        if not isinstance(request, dict) or not request.get("echo"):
            return None
        try:
            return reply(200, self.echo.answer(request))
        except BadRequest as error:
            return refusal(400, str(error))
        except Refused as error:
            return reply(error.status, {"error": {"code": error.status, "message": str(error), "type": "server_error"}})
        except Exception as error:
            traceback.print_exc()
            return reply(500, {"error": {"code": 500, "message": f"{type(error).__name__}: {error}", "type": "server_error"}})

    async def _hand_through(self, head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = self.echo.upstream
        answer = Answer(writer)
        back, _ = await asyncio.get_running_loop().create_connection(lambda: answer, upstream.host, upstream.port)
        back.write(_HOP.sub(b"", head[:-2]) + b"Connection: close\r\n\r\n" + body)
        gone = asyncio.create_task(_until_gone(reader))
        self.answers.add(answer)
        try:
            # Whoever hangs up first ends it: an answer that nobody waits for any more frees its slot.
            await asyncio.wait({gone, answer.ended}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait_for(writer.drain(), PATIENCE)
        finally:
            self.answers.discard(answer)
            gone.cancel()
            back.abort()


def _value(head: bytes, field: str) -> str:
    """A header's value; empty if it is not there."""
    found = re.search(_FIELD.format(field).encode(), head, re.IGNORECASE)
    return found[1].decode("latin-1").strip() if found else ""


async def _body(reader: asyncio.StreamReader, length: int) -> bytes:
    body = bytearray()
    while len(body) < length:
        piece = await asyncio.wait_for(reader.read(min(65536, length - len(body))), PATIENCE)
        if not piece:
            raise asyncio.IncompleteReadError(bytes(body), length)
        body += piece
    return bytes(body)


async def _say(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer)
    await asyncio.wait_for(writer.drain(), PATIENCE)


async def _until_gone(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(65536):
            pass  # a request that follows is not heard: its connection closes
