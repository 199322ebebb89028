"""The application that clients talk to: who may ask what, requests on their way, and what is told of them."""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from tunesmith.contracts.allowed_hosts import is_allowed
from tunesmith.errors import TunesmithError
from tunesmith_gateway.api_errors import ApiError, json_response
from tunesmith_gateway.clients.api_keys import Client, KeyStore
from tunesmith_gateway.clients.rate_limits import Limiter
from tunesmith_gateway.proxy.proxy import Proxy
from tunesmith_gateway.request.exchange import Exchange
from tunesmith_gateway.request.request_body import Gone, read_body
from tunesmith_gateway.routing.endpoint_discovery import EndpointDirectory
from tunesmith_gateway.routing.model_routes import Route
from tunesmith_gateway.settings import GatewaySettings
from tunesmith_gateway.telemetry.access_log import AccessLog
from tunesmith_gateway.telemetry.metrics import Metrics
from tunesmith_gateway.telemetry.traces import Traces

HANDED_ON = re.compile(r"/v1/[a-z_]+(/[a-z_]+)?|/tokenize|/detokenize", re.ASCII)  # POSTs with a model's name in them
_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


@dataclass
class Gateway:
    settings: GatewaySettings
    directory: EndpointDirectory
    keys: KeyStore
    proxy: Proxy
    metrics: Metrics
    log: AccessLog
    traces: Traces
    limiter: Limiter = field(default_factory=Limiter)
    draining: bool = False
    running: int = 0  # requests under way

    def app(self) -> Any:
        """As ASGI; with answers for browsers where pages of others may call."""
        if not self.settings.cors_origins:
            return self
        return CORSMiddleware(
            self, allow_origins=self.settings.cors_origins, allow_methods=["GET", "POST"], expose_headers=["x-request-id", "retry-after"],
            allow_headers=["authorization", "content-type", "x-request-id", "traceparent"],
        )  # fmt: skip

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        told = request.headers.get("x-request-id", "")
        exchange = Exchange(told if _ID.fullmatch(told) else secrets.token_hex(16), request.url.path, send)
        self.running += 1
        self.metrics.running.inc()
        try:
            await self._answered(exchange, request)
        finally:
            self.running -= 1
            self.metrics.running.dec()
            if request.url.path != "/health":
                self.metrics.add(exchange)
                self.log.add(exchange)

    async def _answered(self, exchange: Exchange, request: Request) -> None:
        """Whatever happens to a request becomes an answer in the form of the API."""
        try:
            if response := await self._respond(exchange, request):
                await self._send(exchange, response)
        except ApiError as error:
            await self._failed(exchange, error)
        except Gone:
            exchange.status, exchange.outcome = exchange.status or 499, "gone"  # nobody reads it; the number is nginx's, for the log
        except asyncio.CancelledError:
            exchange.outcome = "cancelled"
            raise
        except Exception as error:  # a fault of ours: this request's alone
            traceback.print_exc()
            await self._failed(
                exchange, ApiError(500, f"The gateway failed at this request: {type(error).__name__}", code="internal_error")
            )

    async def _failed(self, exchange: Exchange, error: ApiError) -> None:
        if not exchange.status:
            return await self._send(exchange, error.response())
        exchange.outcome = "broken"
        await exchange.piece(error.event(), more=False)

    async def _send(self, exchange: Exchange, response: Response) -> None:
        await exchange.begin(response.status_code, dict(response.headers))
        await exchange.piece(bytes(response.body), more=False)

    async def _respond(self, exchange: Exchange, request: Request) -> Response | None:
        path, method = request.url.path, request.method
        host = request.headers.get("host", "")
        if not is_allowed(host, self.settings.host, self.settings.allowed_hosts):
            raise ApiError(403, f"This gateway is not `{host[:100]}`: it answers to names of this machine and to `allowed_hosts`")
        if path == "/health" and method in ("GET", "HEAD"):
            return json_response({"status": "draining" if self.draining else "ok"}, 503 if self.draining else 200)
        client = self._client(request)
        exchange.client = client.name if self.keys.needed else ""
        if method == "GET" and path == "/metrics":
            return Response(self.metrics.text(self.directory.routes), media_type="text/plain; version=0.0.4; charset=utf-8")
        if method == "GET" and path == "/v1/models":
            return json_response({"object": "list", "data": [_card(route) for route in self._visible(client)]})
        if method == "GET" and path.startswith("/v1/models/"):
            return json_response(_card(self._route(client, path.removeprefix("/v1/models/"))))
        if not HANDED_ON.fullmatch(path):
            raise ApiError(404, f"There is no {method[:10]} {path[:100]}")
        if method != "POST":
            raise ApiError(405, f"{path[:100]} takes POST")
        if self.draining:
            raise ApiError(503, "The gateway is being stopped", code="draining")
        with self.limiter.request(client), self.traces.span(exchange, request.headers):
            await self._hand_on(exchange, request, client)
        return None

    async def _hand_on(self, exchange: Exchange, request: Request, client: Client) -> None:
        most = min(self.settings.max_request_bytes, client.limits.max_request_bytes or self.settings.max_request_bytes)
        exchange.body = await read_body(request, most, self.settings.client_timeout)
        route = self._route(client, exchange.body.model)
        exchange.model = route.name
        work = asyncio.ensure_future(self.proxy.answer(exchange, route))
        gone, over = asyncio.ensure_future(_hung_up(request)), asyncio.ensure_future(self.proxy.over.wait())
        try:
            await asyncio.wait({work, gone, over}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            elif gone.done():
                raise Gone
            else:
                raise ApiError(503, "The gateway is being stopped, and the time for running requests is over", code="draining")
        finally:
            for task in (work, gone, over):
                task.cancel()
            await asyncio.gather(work, gone, over, return_exceptions=True)  # the connection to the server is closed before this returns

    def _client(self, request: Request) -> Client:
        """Who asks.

        Raises:
            ApiError: 401.
        """
        if not self.keys.needed:
            return Client(request.client.host if request.client else "", self.settings.limits)
        try:
            self.keys.load()
        except OSError:  # it is being replaced: what was read before holds
            pass
        except TunesmithError as error:  # the same, until it changes again
            print(f"the file of keys can't be read: {error}", file=sys.stderr, flush=True)
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise ApiError(401, "This gateway asks for an API key: `Authorization: Bearer KEY`", code="invalid_api_key")
        if client := self.keys.find(key.strip()):
            return client
        raise ApiError(401, "This API key is not known here", code="invalid_api_key")

    def _route(self, client: Client, model: str) -> Route:
        if not client.may_ask(model):
            raise ApiError(404, f"There is no model `{model[:100]}` for this key", code="model_not_found", param="model")
        return self.directory.routes.find(model)

    def _visible(self, client: Client) -> list[Route]:
        return [route for name, route in sorted(self.directory.routes.by_name.items()) if client.may_ask(name)]


def _card(route: Route) -> dict[str, Any]:
    return {"id": route.name, "object": "model", "created": route.created, "owned_by": "tunesmith"}


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
