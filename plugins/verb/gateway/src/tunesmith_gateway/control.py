"""What commands of this machine ask of a gateway that is up: its state, a switch, a way back. On a port of its own, by a token that lies in
the home."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tunesmith.contracts.settings import build
from tunesmith_gateway.api_errors import ApiError, json_response
from tunesmith_gateway.app import Gateway
from tunesmith_gateway.routing.model_routes import Version
from tunesmith_gateway.settings import UpstreamSettings
from tunesmith_gateway.switch.settings import SwitchSettings
from tunesmith_gateway.switch.version_switch import Switch


@dataclass
class Control:
    gateway: Gateway
    client: httpx.AsyncClient
    token: str
    _switches: dict[str, Switch] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ApiError as error:
            response = error.response()
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {self.token}".encode()):
            raise ApiError(401, "Only commands of this home may ask this")
        asked = (request.method, request.url.path)
        if asked == ("GET", "/routes"):
            return json_response(self._state())
        if asked == ("POST", "/switch"):
            return StreamingResponse(_lines(self._switch(await request.json())), media_type="application/jsonl")
        if asked == ("POST", "/back"):
            return self._back(str((await request.json())["model"]))
        raise ApiError(404, f"There is no {request.url.path}")

    def _state(self) -> dict[str, Any]:
        return {
            route.name: [
                {
                    "version": version.name, "share": version.share, "run": version.run, "running": version.running,
                    "upstreams": [{"name": up.name, "up": up.up, "url": up.url, "error": up.last_error} for up in version.upstreams],
                }
                for version in route.versions
            ]
            for route in self.gateway.directory.routes.by_name.values()
        }  # fmt: skip

    def _switch(self, asked: dict[str, Any]) -> Switch:
        """Begin a switch; it goes on whether or not anybody follows it."""
        route, to = self.gateway.directory.routes.find(asked["model"]), asked["to"]
        running = self._switches.get(route.name)
        if running and not running.over:
            raise ApiError(409, f"`{route.name}` is being switched already", code="switch_running")
        where = UpstreamSettings(url=to.get("url", ""), step=to.get("step", ""), model=to.get("model", ""), key_env=to.get("key_env", ""))
        self.gateway.directory.refresh()
        new = Version(where.step or where.url, [self.gateway.directory.upstream(route.name, where)])
        self.gateway.directory.adopt(new)
        settings = build(SwitchSettings, asked["settings"])
        switch = Switch(self.gateway, self.client, route, new, where, settings, asked["smoke"], asked["shadow"])
        self._switches[route.name] = switch
        task = asyncio.ensure_future(switch.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return switch

    def _back(self, model: str) -> Response:
        switch = self._switches.get(model)
        if switch is None or switch.over:
            raise ApiError(409, f"`{model}` is not being switched", code="no_switch")
        switch.call_back()
        return json_response({"model": model})


async def _lines(switch: Switch) -> AsyncIterator[bytes]:
    async for event in switch.follow():
        yield json.dumps(event).encode() + b"\n"
