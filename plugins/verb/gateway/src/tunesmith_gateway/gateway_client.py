"""What commands ask of gateways that are up in this home."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts.cache_files import read_note
from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith_gateway import NOTES

CODE = "TS-SERVE-044"
ANSWER = 10.0  # seconds
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy reaches this machine's own ports


@dataclass(frozen=True)
class GatewayClient:
    """A gateway that is up."""

    url: str
    control: str
    token: str

    def routes(self) -> dict[str, list[dict[str, Any]]]:
        return dict(json.loads(self._open("GET", "/routes", None, ANSWER).read()))

    def switch(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Begin a switch and give what happens, until it is over."""
        with self._open("POST", "/switch", asked, None) as answer:
            for line in answer:
                yield json.loads(line)

    def back(self, model: str) -> None:
        """Have a switch go back."""
        self._open("POST", "/back", {"model": model}, ANSWER).close()

    def _open(self, method: str, path: str, data: Any, timeout: float | None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.control + path, body, headers, method=method)
        try:
            return _DIRECT.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            why = json.loads(error.read())["error"]["message"]
            raise UserError(CODE, f"the gateway at {self.url} refuses this", why=why, fix="See `tunesmith gateway routes`.") from None


def gateways(home: Path) -> Iterator[GatewayClient]:
    """Those of a home that answer; what a killed one has left is removed."""
    for path in sorted((home / NOTES).glob("*.json")):
        note = read_note(path)
        if not note:
            continue
        client = GatewayClient(note["url"], note["control"], note["token"])
        try:
            client.routes()
        except (OSError, TunesmithError):
            path.unlink(missing_ok=True)
        else:
            yield client


def gateway_of(home: Path, model: str, url: str) -> GatewayClient:
    """The gateway that has a model.

    Args:
        url: of the one that is meant, where several have it.

    Raises:
        UserError: TS-SERVE-044 when there is none, or more than one.
    """
    found = [one for one in gateways(home) if not url or url.rstrip("/").removesuffix("/v1") == one.url]
    if not found:
        where = f" at {url}" if url else f" of {home}"
        raise UserError(
            CODE, f"no gateway{where} is up", why="A version is switched where clients ask: at a gateway before its servers.",
            fix="Start one: `tunesmith gateway --discover`.",
        )  # fmt: skip
    routes = {one: one.routes() for one in found}
    having = [one for one in found if model in routes[one]]
    if not having:
        known = {name for names in routes.values() for name in names}
        raise UserError(CODE, f"no gateway here has a model `{model}`", fix=did_you_mean(model, known))
    if len(having) > 1:
        raise UserError(CODE, f"several gateways have a model `{model}`", fix="Say which: --gateway " + " or ".join(g.url for g in having))
    return having[0]
