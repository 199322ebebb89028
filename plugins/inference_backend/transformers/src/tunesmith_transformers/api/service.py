"""What the routes share: the model's name, the engine once it is up, the state of the server, and how requests are taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from starlette.requests import ClientDisconnect, Request

from tunesmith.contracts import Address
from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.request.request_body import read
from tunesmith_transformers.engine.engine import Engine
from tunesmith_transformers.engine.metrics import Metrics
from tunesmith_transformers.model.vision import Vision
from tunesmith_transformers.pooling.pooler import EMBED, Pooler
from tunesmith_transformers.text.grammar import Grammars
from tunesmith_transformers.text.vocabulary import Vocabulary

T = TypeVar("T")


PREPARING = 4  # requests read, checked and tokenized at the same time, beside the event loop
PATIENCE = 30.0  # seconds for a request's head, for the first piece of its body, or for a client to take a piece of its answer
SLOWEST = 4096  # bytes a second of a body at least, after that


_OF_WORDS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/tokenize", "/detokenize")
_ROUTES = {**dict.fromkeys(_OF_WORDS, "words"), "/v1/embeddings": "embeddings", "/pooling": "scores"}


def route_of(role: str) -> str:
    """By which a model of this role is asked."""
    return {"": _OF_WORDS[0], EMBED: "/v1/embeddings"}.get(role, "/pooling")


class Gone(Exception):
    """The client has hung up."""


@dataclass
class Service:
    """One served model. `engine`, `vocabulary`, `grammars` and `defaults`, or of a model with a role `pooler`, are set before `state`
    becomes ``ready``."""

    name: str
    address: Address = field(default_factory=Address)
    metrics: Metrics = field(default_factory=Metrics)
    state: Literal["loading", "ready", "draining"] = "loading"
    created: int = 0
    max_request_bytes: int = 4 * 2**20
    role: str = ""
    engine: Engine = None  # type: ignore[assignment]
    pooler: Pooler = None  # type: ignore[assignment]
    vocabulary: Vocabulary = None  # type: ignore[assignment]
    grammars: Grammars = None  # type: ignore[assignment]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    vision: Vision | None = None
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(PREPARING, "prepare"))
    _arriving: int = 0  # requests that are read and prepared

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def check_ready(self) -> None:
        if self.state != "ready":
            raise ApiError(503, f"The server is {self.state}.", code=self.state)
        if self.worker.error:
            raise ApiError(503, f"The engine has stopped: {self.worker.error}", code="engine_error")

    @property
    def worker(self) -> Engine | Pooler:
        """Who runs the model."""
        return self.engine or self.pooler

    def check_answers(self, path: str) -> None:
        """That the model is of the kind whose requests come by this route."""
        wanted = _ROUTES.get(path)
        if wanted is None or path == (own := route_of(self.role)):
            return
        given = {"": "words", EMBED: "embeddings"}.get(self.role, "scores")
        if self.role or path not in _OF_WORDS:
            raise ApiError(
                400, f"`{self.name}` gives {given}, and {path} is for {wanted}. Ask {own}", param="model", code="model_not_supported"
            )

    def check_model(self, name: str) -> None:
        if name != self.name:
            raise ApiError(
                404, f"There is no model `{name[:100]}` here; this server has `{self.name}`.", param="model", code="model_not_found"
            )

    def check_source(self, request: Request) -> None:
        """That no web page of somebody else has sent the request: browsers send them anywhere, and a name of theirs may lead here."""
        host = request.headers.get("host", "")
        if not self.address.answers_to(host):
            raise ApiError(
                403, f"This server is not `{host[:100]}`. It answers to names of this machine and to the setting `allowed_hosts`"
            )
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and kind != "application/json":
            raise ApiError(415, f"The body should be JSON and say so: `Content-Type: application/json`, not `{kind[:100]}`")

    def check_count(self, answers: int, param: str) -> None:
        """That so many answers could be waiting at all."""
        limits = self.worker.limits
        if answers > limits.batch + limits.queue:
            raise ApiError(
                400, f"{answers} answers are more than this server ever has under way: {limits.batch + limits.queue}", param=param
            )

    async def prepared(self, request: Request, schema: Mapping[str, Any], make: Callable[[dict[str, Any]], T]) -> T:
        """What `make` makes of the request's checked body. Neither reading the body nor `make` holds up the event loop."""
        self.check_ready()
        if self._arriving > self.worker.limits.batch + self.worker.limits.queue:
            raise ApiError(429, "Too many requests arrive. Try again in a moment.", code="queue_full")
        self._arriving += 1
        try:
            body = await self._body(request)
            return await self.beside(lambda: self._made(body, schema, make))
        finally:
            self._arriving -= 1

    async def beside(self, work: Callable[[], T]) -> T:
        """The result of `work`, done in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _made(self, body: bytes, schema: Mapping[str, Any], make: Callable[[dict[str, Any]], T]) -> T:
        asked = read(body, schema)
        self.check_model(asked.get("model", self.name))  # left out only where a route lets it be
        return make(asked)

    async def _body(self, request: Request) -> bytes:
        told = request.headers.get("content-length", "")
        body, pieces, clock = bytearray(), request.stream().__aiter__(), asyncio.get_running_loop().time
        started = clock()
        try:
            while len(body) <= self.max_request_bytes and (not told.isdigit() or int(told) <= self.max_request_bytes):
                # what trickles in has no longer than what does not come: else one client could hold places for days
                left = started + PATIENCE + len(body) / SLOWEST - clock()
                body += await asyncio.wait_for(pieces.__anext__(), max(left, 0))
        except StopAsyncIteration:
            return bytes(body)
        except asyncio.TimeoutError:
            raise ApiError(408, f"The rest of the request did not come within {PATIENCE:g} seconds") from None
        except ClientDisconnect:
            raise Gone from None
        raise ApiError(413, f"The request is larger than {self.max_request_bytes} bytes")


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
