"""A real server, of HTTP and with known waits, that notes when it is asked what."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web


class NotingServer:
    """
    Args:
        first, between: seconds before the first piece, and between two.
        together: tokens in a piece.
        status: of every answer.
        cut: end streams in the middle.
        key: a bearer token without which it answers 401.
    """

    def __init__(
        self, first: float = 0.02, between: float = 0.0, together: int = 1, status: int = 200, *, cut: bool = False, key: str = ""
    ) -> None:
        self.first, self.between, self.together, self.status, self.cut, self.key = first, between, together, status, cut, key
        self.at: list[float] = []
        self.bodies: list[Any] = []
        self.under_way = self.most = 0

    async def models(self, request: web.Request) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": {"message": "no key"}}, status=401)
        return web.json_response({"object": "list", "data": [{"id": "noted", "object": "model"}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.at.append(asyncio.get_running_loop().time())
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            body = await request.json()
            self.bodies.append(body)
            if self.status != 200 or (self.key and request.headers.get("Authorization") != f"Bearer {self.key}"):
                return web.json_response({"error": {"message": "it is asleep"}}, status=self.status if self.status != 200 else 401)
            return await self._stream(request, body)
        finally:
            self.under_way -= 1

    async def _stream(self, request: web.Request, body: Any) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        tokens = left = int(body["max_tokens"])
        await asyncio.sleep(self.first)
        while left > 0:
            now = min(self.together, left)
            await self._event(reply, {"choices": [{"index": 0, "delta": {"content": "wörd " * now}}]})
            left -= now
            if self.cut:
                return reply
            if left:
                await asyncio.sleep(self.between * now)
        await self._event(reply, {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
        asked = sum(len(message["content"].split()) for message in body["messages"]) + 7
        await self._event(
            reply, {"choices": [], "usage": {"prompt_tokens": asked, "completion_tokens": tokens, "total_tokens": asked + tokens}}
        )
        await reply.write(b"data: [DONE]\n\n")
        return reply

    async def _event(self, reply: web.StreamResponse, data: Any) -> None:
        await reply.write(
            b"data: " + json.dumps({"id": "1", "object": "chat.completion.chunk", **data}, ensure_ascii=False).encode() + b"\n\n"
        )


@contextmanager
def serving(server: NotingServer) -> Iterator[str]:
    """Its address, in a thread of its own."""
    loop, up, place = asyncio.new_event_loop(), threading.Event(), []
    app = web.Application()
    app.add_routes([web.get("/v1/models", server.models), web.post("/v1/chat/completions", server.chat)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        place.append(runner.addresses[0][1])
        up.set()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert up.wait(30)
    try:
        yield f"http://127.0.0.1:{place[0]}/v1"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
