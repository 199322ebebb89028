"""A request handed on to a server, and its answer handed back: whole or piece by piece, with other servers tried where nothing was sent."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from tunesmith_gateway.api_errors import DONE, ApiError
from tunesmith_gateway.proxy.stream_resume import Resumable, Unlike
from tunesmith_gateway.request.exchange import Exchange
from tunesmith_gateway.routing.model_routes import Route, Version
from tunesmith_gateway.routing.upstream import Upstream
from tunesmith_gateway.settings import GatewaySettings
from tunesmith_gateway.telemetry.metrics import Metrics

POLL = 0.05  # seconds between looks for a server that is up
_ELSEWHERE = (429, 502, 503, 504)  # what a server says that has no place, loads, ends, or stands before one that does
_ENDED = ("/v1/chat/completions", "/v1/completions")  # whose streams end with [DONE]
_KEPT = ("content-type", "retry-after", "openai-processing-ms", "openai-version")
_ROOT = ("/tokenize", "/detokenize")  # beside /v1, as vLLM has them


class Unsent(Exception):
    """A server has failed at a request before anything of an answer was sent."""

    def __init__(self, error: ApiError, down: bool) -> None:
        super().__init__(error.message)
        self.error, self.down = error, down


class Broken(Exception):
    """A stream has ended before its end."""


@dataclass
class Proxy:
    settings: GatewaySettings
    client: httpx.AsyncClient
    metrics: Metrics
    over: asyncio.Event = field(default_factory=asyncio.Event)  # the time for running requests is over

    async def answer(self, exchange: Exchange, route: Route) -> None:
        """
        Raises:
            ApiError: nobody could answer, and nothing was sent.
        """
        until, tried = time.monotonic() + self.settings.upstream_wait, []
        error: ApiError | None = None
        waiting = True  # for a server that is down; one that hangs or is full is not asked again
        while True:
            chosen = route.choose(tried)
            if chosen is None:
                if not waiting or time.monotonic() > until or self.over.is_set():
                    raise error or ApiError(503, f"No server of `{route.name[:100]}` is up", code="upstream_down")
                await asyncio.sleep(POLL)
                tried = [upstream for upstream in tried if not upstream.up]
                continue
            version, upstream = chosen
            exchange.attempts += 1
            try:
                return await self._attempt(exchange, route, version, upstream)
            except Unsent as failure:
                error, waiting = failure.error, failure.down
                if failure.down:
                    upstream.failed(error.message)
                if exchange.attempts > self.settings.max_retries:
                    raise error from None
                self.metrics.retries.labels(route.name).inc()
                tried.append(upstream)

    async def _attempt(self, exchange: Exchange, route: Route, version: Version, upstream: Upstream) -> None:
        """One try at one server, counted for its version."""
        start, failed = time.monotonic(), True
        exchange.version, exchange.upstream = version.name, upstream.name
        upstream.running += 1
        try:
            await self._hand_on(exchange, route, version, upstream)
            failed = exchange.status >= 500 or exchange.outcome != "done"
        except Unsent as failure:
            failed = failure.error.status != 429  # a server that is full is not a bad one
            raise
        except asyncio.CancelledError:
            failed = False  # the client's doing, or the end of the gateway
            raise
        finally:
            upstream.running -= 1
            version.window.add(time.monotonic() - start, failed)

    async def _hand_on(self, exchange: Exchange, route: Route, version: Version, upstream: Upstream) -> None:
        async with self._asked(exchange, route, upstream) as answer:
            headers = {name: value for name, value in answer.headers.items() if name in _KEPT or name.startswith("x-ratelimit")}
            if "event-stream" not in answer.headers.get("content-type", ""):
                whole = await self._whole(answer)
                if answer.status_code in _ELSEWHERE:
                    raise Unsent(_told(answer, whole), down=answer.status_code in (502, 503))
                await exchange.begin(answer.status_code, headers | {"content-length": str(len(whole))})
                return await exchange.piece(whole, more=False)
            pieces = self._pieces(answer, exchange.path)
            try:
                first = await anext(pieces)
            except (Broken, StopAsyncIteration) as error:
                raise Unsent(ApiError(502, f"The server broke off: {error}", code="upstream_failed"), down=True) from None
            resumable = Resumable.of(exchange.body) if self.settings.resume_streams and exchange.body else None
            await exchange.begin(answer.status_code, headers | {"cache-control": "no-cache"})
            try:
                await self._pass_on(exchange, first, pieces, resumable)
            except Broken as error:
                upstream.failed(str(error))
                await self._go_on(exchange, route, version, upstream, resumable, error)
            await exchange.piece(b"", more=False)

    @contextlib.asynccontextmanager
    async def _asked(self, exchange: Exchange, route: Route, upstream: Upstream) -> AsyncIterator[httpx.Response]:
        """The head of a server's answer."""
        assert exchange.body is not None
        base = upstream.url
        url = (base.removesuffix("/v1") if exchange.path in _ROOT else base) + exchange.path.removeprefix("/v1")
        headers = {"Content-Type": "application/json", "X-Request-Id": exchange.id, **exchange.headers, **upstream.headers()}
        content = exchange.body.under(upstream.served_name(route.name))
        try:
            request = self.client.build_request("POST", url, content=content, headers=headers)
            answer = await asyncio.wait_for(self.client.send(request, stream=True), self.settings.first_byte_timeout)
        except asyncio.TimeoutError:
            what = f"The server did not begin to answer within {self.settings.first_byte_timeout:g} seconds"
            raise Unsent(ApiError(504, what, code="upstream_timeout"), down=False) from None
        except httpx.HTTPError as error:
            raise Unsent(ApiError(502, f"The server can't be reached: {type(error).__name__}", code="upstream_failed"), down=True) from None
        try:
            yield answer
        finally:
            await answer.aclose()

    async def _whole(self, answer: httpx.Response) -> bytes:
        try:
            return await asyncio.wait_for(answer.aread(), self.settings.first_byte_timeout)
        except asyncio.TimeoutError:
            raise Unsent(ApiError(504, "The server's answer did not come to an end", code="upstream_timeout"), down=False) from None
        except httpx.HTTPError as error:
            raise Unsent(ApiError(502, f"The server broke off: {type(error).__name__}", code="upstream_failed"), down=True) from None

    async def _pieces(self, answer: httpx.Response, path: str) -> AsyncIterator[bytes]:
        """A stream's pieces as they come; it is over when it has said so.

        Raises:
            Broken: it was cut off, or nothing came for `idle_timeout`.
        """
        raw, tail = answer.aiter_raw().__aiter__(), b""
        while True:
            try:
                piece = await asyncio.wait_for(anext(raw), self.settings.idle_timeout)
            except StopAsyncIteration:
                break
            except asyncio.TimeoutError:
                raise Broken(f"nothing came for {self.settings.idle_timeout:g} seconds") from None
            except httpx.HTTPError as error:
                if path in _ENDED and b"[DONE]" in tail:
                    return  # all of it had come
                raise Broken(type(error).__name__) from None
            tail = (tail + piece)[-len(DONE) - 2 :]
            yield piece
        if path in _ENDED and b"[DONE]" not in tail:
            raise Broken("the stream ended without [DONE]")

    async def _pass_on(self, exchange: Exchange, first: bytes, pieces: AsyncIterator[bytes], resumable: Resumable | None) -> None:
        await exchange.piece(resumable.taken(first) if resumable else first)
        async for piece in pieces:
            await exchange.piece(resumable.taken(piece) if resumable else piece)

    async def _go_on(
        self, exchange: Exchange, route: Route, version: Version, broken: Upstream, resumable: Resumable | None, why: Exception
    ) -> None:
        """Take up a stream that broke off at another server of its version, or end it so that the client knows."""
        while resumable and resumable.able and exchange.resumed < self.settings.max_retries:
            exchange.resumed += 1
            chosen = await self._other(route, version)
            if chosen is None:
                break
            self.metrics.resumed.labels(route.name).inc()
            chosen.running += 1
            try:
                async with self._asked(exchange, route, chosen) as answer:
                    if answer.status_code != 200:
                        continue
                    resumable.again()
                    async for piece in self._pieces(answer, exchange.path):
                        if data := resumable.taken(piece):
                            await exchange.piece(data)
                    return
            except Unlike as error:
                why = error
                break
            except (Unsent, Broken) as error:
                chosen.failed(str(error))
                why = error
            finally:
                chosen.running -= 1
        exchange.outcome = "broken"
        await exchange.piece(ApiError(502, f"The answer broke off: {why}", code="upstream_failed").event())

    async def _other(self, route: Route, version: Version) -> Upstream | None:
        until = time.monotonic() + self.settings.upstream_wait
        while time.monotonic() < until and not self.over.is_set():
            if chosen := route.choose((), version):
                return chosen[1]
            await asyncio.sleep(POLL)
        return None


def _told(answer: httpx.Response, whole: bytes) -> ApiError:
    """A server's own words for why it does not answer now."""
    try:
        message = str(answer.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        message = whole[:200].decode(errors="replace") or f"status {answer.status_code}"
    after = answer.headers.get("retry-after", "")
    return ApiError(answer.status_code, message, code="upstream_unavailable", retry_after=int(after) if after.isdigit() else 0)
