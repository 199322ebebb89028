"""What vLLM's own server does not look at: whether a web page of somebody else has sent a request. An ASGI middleware, in its process."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tunesmith.contracts import Address

#: Variables that say where it listens, and to which further names it answers (separated by spaces).
HOST, ALLOWED = "TUNESMITH_VLLM_HOST", "TUNESMITH_VLLM_ALLOWED_HOSTS"
PATH = f"{__name__}.LocalNames"
Message = MutableMapping[str, Any]


class LocalNames:
    """Answers 403 to names that only lead here (`Address.answers_to`), and 415 to bodies that do not say that they are JSON."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app
        self.address = Address(os.environ.get(HOST, ""), allowed_hosts=tuple(os.environ.get(ALLOWED, "").split()))

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        refused = self._refused(scope) if scope["type"] == "http" else None
        if refused is None:
            return await self.app(scope, receive, send)
        status, message = refused
        body = json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": status}}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _refused(self, scope: Message) -> tuple[int, str] | None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self.address.answers_to(host := headers.get("host", "")):
            return 403, f"This server is not `{host[:100]}`: it answers to this machine's names and its setting `allowed_hosts`."
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] == "POST" and kind != "application/json":
            return 415, f"The body should be JSON and say so: `Content-Type: application/json`, not `{kind[:100]}`."
        return None
