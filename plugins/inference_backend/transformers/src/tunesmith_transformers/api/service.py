"""What the routes share: the model's name, the engine once it is up, the state of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from starlette.requests import Request

from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.schema import read
from tunesmith_transformers.engine.engine import Engine
from tunesmith_transformers.engine.metrics import Metrics
from tunesmith_transformers.text.vocabulary import Vocabulary

T = TypeVar("T")


class Gone(Exception):
    """The client has hung up."""


@dataclass
class Service:
    """One served model. `engine`, `vocabulary` and `defaults` are set before `state` becomes ``ready``."""

    name: str
    metrics: Metrics = field(default_factory=Metrics)
    state: Literal["loading", "ready", "draining"] = "loading"
    created: int = 0
    max_request_bytes: int = 16 * 2**20
    engine: Engine = None  # type: ignore[assignment]
    vocabulary: Vocabulary = None  # type: ignore[assignment]
    defaults: Mapping[str, float] = field(default_factory=dict)

    def check_ready(self) -> None:
        if self.state != "ready":
            raise ApiError(503, f"The server is {self.state}.", code=self.state)
        if self.engine.error is not None:
            raise ApiError(503, f"The engine has stopped: {self.engine.error}", code="engine_error")

    def check_model(self, name: str) -> None:
        if name != self.name:
            raise ApiError(404, f"There is no model `{name}` here; this server has `{self.name}`.", param="model", code="model_not_found")

    async def read(self, request: Request, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The checked body of a request for this model."""
        self.check_ready()
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > self.max_request_bytes:
                raise ApiError(413, f"The request is larger than {self.max_request_bytes} bytes.")
        found = read(body, schema)
        self.check_model(found["model"])
        return found


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the client hangs up.

    Raises:
        Gone: it did.
    """

    async def hung_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task, watch = asyncio.ensure_future(work), asyncio.ensure_future(hung_up())
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()
    finally:
        for pending in (task, watch):
            pending.cancel()
