"""Whether a web page of somebody else has sent a request, which engines' own servers do not look at: an ASGI middleware for them."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from tunesmith.contracts import Address

#: Variables that say where it listens, and to which further names it answers (separated by spaces).
HOST, ALLOWED = "TUNESMITH_SERVE_HOST", "TUNESMITH_SERVE_ALLOWED_HOSTS"
PATH = f"{__name__}.LocalNames"
_POLICY = 1008  # RFC 6455: the code of a connection that a rule forbids
Message = MutableMapping[str, Any]


def variables(address: Address) -> dict[str, str]:
    """The environment in which `LocalNames` knows the address."""
    return {HOST: address.host, ALLOWED: " ".join(address.allowed_hosts)}


class LocalNames:
    """Answers 403 to names that only lead here (`Address.answers_to`), and 415 to bodies that do not say that they are JSON.

    A request's origin is taken off, so that no server says to a browser that another page may read what it answers; websockets are closed.

    Args:
        closed: beginnings of paths that are answered with 403: what changes a server whose weights are an artifact's.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], closed: Sequence[str] = ()) -> None:
        self.app, self.closed = app, tuple(closed)
        self.address = Address(os.environ.get(HOST, ""), allowed_hosts=tuple(os.environ.get(ALLOWED, "").split()))

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        if scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": _POLICY})
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        refused = self._refused(scope)
        if refused is None:
            headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"origin"]
            return await self.app({**scope, "headers": headers}, receive, send)
        status, message = refused
        body = json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": status}}).encode()
        answer = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": answer})
        await send({"type": "http.response.body", "body": body})

    def _refused(self, scope: Message) -> tuple[int, str] | None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self.address.answers_to(host := headers.get("host", "")):
            return 403, f"This server is not `{host[:100]}`: it answers to this machine's names and its setting `allowed_hosts`."
        if scope["path"].startswith(self.closed):
            return 403, f"`{scope['path'][:100]}` is closed: what is served is the step's model and nothing else."
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] in ("POST", "PUT") and kind != "application/json":
            return 415, f"The body should be JSON and say so: `Content-Type: application/json`, not `{kind[:100]}`."
        return None
