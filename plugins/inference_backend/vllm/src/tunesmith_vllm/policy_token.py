"""Who may change the weights of an engine that is a training step's sampler: an ASGI middleware for vLLM's server.

The routes for adapters and for whole weights take them from everybody who reaches its port, and that is every user of the machine. The
plugin draws a token for each serving step; the engine gets it as a variable, which other users can't read, as they could read an argument
of its command.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tunesmith_vllm import policy_weights

TOKEN = "TUNESMITH_VLLM_POLICY_TOKEN"
HEADER = "x-tunesmith-token"
PATH = f"{__name__}.PolicyToken"
ROUTES = ("load_lora_adapter", "unload_lora_adapter", policy_weights.ROUTE, policy_weights.SLEEP, policy_weights.WAKE)
Message = MutableMapping[str, Any]


class PolicyToken:
    """Answers 403 to whoever would change weights without the token; where there is none, to everybody."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app, self._token = app, os.environ.get(TOKEN, "")

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        if scope["type"] != "http" or scope["path"].rstrip("/").rpartition("/")[2] not in ROUTES or self._is_told(scope):
            return await self.app(scope, receive, send)
        told = "The weights are a training step's: only its own serving step may change them."
        body = json.dumps({"error": {"message": told, "type": "invalid_request_error", "param": None, "code": 403}}).encode()
        answer = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 403, "headers": answer})
        await send({"type": "http.response.body", "body": body})

    def _is_told(self, scope: Message) -> bool:
        told = dict(scope["headers"]).get(HEADER.encode(), b"")
        return bool(self._token) and hmac.compare_digest(told, self._token.encode())
