"""What listens here: requests go to the server elsewhere with the model's name there, answers come back byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from tunesmith.contracts import Address
from tunesmith_remote.upstream import Upstream

LARGEST_BODY = 16 * 2**20  # bytes of a request
LAST_WORDS = 5.0  # seconds for the answers that are cut off to reach their clients
#: what can be asked of a model; nothing else that the key opens there
ROUTES = ("chat/completions", "completions", "responses", "embeddings", "pooling", "score", "rerank")
_KEPT = ("Content-Type", "Retry-After", "X-Request-Id")  # headers of answers that are handed on
STOPPED = "the server is being stopped"
END_OF_STREAM = f"data: {json.dumps({'error': {'message': STOPPED, 'type': 'server_error', 'code': 503}})}\n\ndata: [DONE]\n\n".encode()
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Proxy:
    """
    Args:
        model: the model's name there.
        name: its name here.
    """

    def __init__(self, upstream: Upstream, model: str, name: str, address: Address) -> None:
        self.upstream, self.model, self.name, self._address = upstream, model, name, address
        self._under_way: set[asyncio.Task[web.StreamResponse]] = set()
        self._draining = False
        self.counts = {"answered": 0, "failed": 0}
        self.app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._guarded])
        self.app.add_routes([web.get("/v1/models", self._models), web.get("/health", self._health), web.get("/metrics", self._metrics)])
        self.app.add_routes([web.post(f"/v1/{route}", self._post) for route in ROUTES])

    async def drain(self, shutdown_grace: float) -> None:
        """Take nothing new; end what still runs after so many seconds so that its client knows."""
        self._draining = True
        for seconds in (shutdown_grace, LAST_WORDS):
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=seconds)
            for work in list(self._under_way):
                work.cancel()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._address.answers_to(request.headers.get("Host", "")):
            return failure(403, "this server does not answer to that name: see its setting `allowed_hosts`")
        if request.method == "POST" and request.content_type != "application/json":
            return failure(415, "the body should be JSON and say so: Content-Type: application/json")
        if self._draining and request.method == "POST":
            return failure(503, STOPPED)
        try:
            return await handler(request)
        except web.HTTPException as error:
            return failure(error.status, error.reason)

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self.name, "object": "model", "created": 0, "owned_by": "remote"}]})

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "draining" if self._draining else "ready"})

    async def _metrics(self, request: web.Request) -> web.Response:
        lines = [f'tunesmith_remote_requests_total{{outcome="{name}"}} {count}' for name, count in self.counts.items()]
        return web.Response(text="# TYPE tunesmith_remote_requests_total counter\n" + "\n".join(lines) + "\n")

    async def _post(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            return failure(400, "the body is no JSON")
        if not isinstance(body, dict):
            return failure(400, "the body should be a JSON object")
        if body.get("model", self.name) != self.name:
            return failure(404, f"there is no such model here; there is `{self.name}`")
        work = asyncio.create_task(self._forward(request, body | {"model": self.model}))
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)
        return await work  # where its client is gone this is cancelled, and the work with it

    async def _forward(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        reply: web.StreamResponse | None = None
        try:
            async with self.upstream.post(request.path.removeprefix("/v1/"), body) as there:
                headers = {name: there.headers[name] for name in _KEPT if name in there.headers}
                if there.status >= 300:
                    self.counts["failed"] += 1
                    status = there.status if there.status >= 400 else 502
                    return web.Response(status=status, headers=headers, body=await self.upstream.refusal(there))
                reply = web.StreamResponse(status=there.status, headers=headers)
                await reply.prepare(request)
                async for chunk in there.content.iter_any():
                    await reply.write(chunk)
                await reply.write_eof()
                self.counts["answered"] += 1
                return reply
        except asyncio.CancelledError:
            if not self._draining:
                raise
            if reply is None:
                return failure(503, STOPPED)
            if reply.content_type != "text/event-stream":
                return _cut(request, reply)
            with contextlib.suppress(OSError):  # its client may be gone, too
                await reply.write(END_OF_STREAM)
            return reply
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            self.counts["failed"] += 1
            if reply is None:
                return failure(502, f"the server elsewhere gives no answer: {type(error).__name__}")
            return _cut(request, reply)


def _cut(request: web.Request, reply: web.StreamResponse) -> web.StreamResponse:
    """Hang up in the middle of an answer: it must not look like its end."""
    if request.transport is not None:
        request.transport.abort()
    return reply


def failure(status: int, message: str) -> web.Response:
    """An error in the API's form."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return web.json_response({"error": {"message": message, "type": kind, "param": None, "code": status}}, status=status)
