"""One request on its way: who asked, what was sent of the answer, what is written down of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith_gateway.request.request_body import Body

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass
class Exchange:
    """
    Args:
        id: of the request, told to the client, the server and the log.
        send: to the client.
    """

    id: str
    path: str
    send: Send
    client: str = ""
    model: str = ""
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # further ones for the server
    status: int = 0
    version: str = ""
    upstream: str = ""
    attempts: int = 0
    resumed: int = 0
    sent: int = 0  # bytes of the answer's body
    outcome: str = "done"
    start: float = field(default_factory=time.monotonic)
    first: float = 0.0  # seconds until the first byte of the answer

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head of the answer; from here on nothing can be tried again."""
        self.status, self.first = status, time.monotonic() - self.start
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        raw.append((b"x-request-id", self.id.encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def piece(self, data: bytes, more: bool = True) -> None:
        self.sent += len(data)
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start
