"""Whole weights and sleep for an engine that is a training step's sampler: an ASGI middleware for vLLM's server.

vLLM has routes for adapters, and for whole weights a method of its workers (``reload_weights``) that no route of its server calls, unless
all of its development routes are opened. This has one more route, ``POST /v1/policy_weights`` with ``path`` and ``name``, and tells in a
header of every answer which weights have been given last; an engine that was started anew tells of none. By ``/v1/policy_sleep`` and
``/v1/policy_wake`` an engine sleeps and is woken.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

ROUTE, SLEEP, WAKE = "policy_weights", "policy_sleep", "policy_wake"
HEADER = "x-tunesmith-weights"
PATH = f"{__name__}.PolicyWeights"
Message = MutableMapping[str, Any]


class PolicyWeights:
    """One engine; who may ask for the route is `PolicyToken`'s business, which stands before this."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app, self._name = app, ""

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        route = scope["path"].rstrip("/").rpartition("/")[2] if scope["type"] == "http" else ""
        if route in (ROUTE, SLEEP, WAKE):
            return await self._change(route, scope["app"].state.engine_client, await _body(receive), send)

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and self._name:
                message["headers"] = [*message["headers"], (HEADER.encode(), self._name.encode())]
            await send(message)

        await self.app(scope, receive, tell)

    async def _change(self, route: str, engine: Any, body: bytes, send: Callable[[Message], Awaitable[None]]) -> None:
        status: int
        told: dict[str, Any]
        try:
            if route == ROUTE:
                self._name = ""  # until it has all of them
                asked = json.loads(body)
                await engine.collective_rpc("reload_weights", kwargs={"weights_path": asked["path"]})
                await engine.reset_prefix_cache()  # keys and values of prompts are of the weights before
                self._name = str(asked["name"])
            elif route == SLEEP:
                await engine.sleep(1)  # its weights go to the host's memory, keys and values are dropped
            else:
                await engine.wake_up()
            status, told = 200, {}
        except Exception as error:
            status, told = 500, {"error": {"message": f"{type(error).__name__}: {error}", "type": "internal_error", "code": 500}}
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    found = b""
    while True:
        message = await receive()
        found += message.get("body", b"")
        if not message.get("more_body"):
            return found
