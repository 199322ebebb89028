"""A server that answers: its address, whether it is up, what it has under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

ASK_TIMEOUT = 5.0  # seconds for a server to say that it is there
_AUTHORIZED = (401, 403)  # it is there, though it does not tell this key its models


@dataclass(eq=False)
class Upstream:
    """
    Args:
        name: for logs and metrics.
        locate: gives the address now (``http://host:1234/v1``) and the model's name there; None while nobody serves.
        key: that it asks for; never shown.
        model: its name for the model, where `locate` is not to say it.
    """

    name: str
    locate: Callable[[], tuple[str, str] | None]
    key: str = field(default="", repr=False)
    model: str = ""
    up: bool = True  # until something is known
    running: int = 0
    last_error: str = ""

    @property
    def url(self) -> str:
        """The API's base; empty while nobody serves."""
        place = self.locate()
        return place[0].rstrip("/") if place else ""

    def served_name(self, otherwise: str) -> str:
        """What the model is called there."""
        place = self.locate()
        return self.model or (place[1] if place else "") or otherwise

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def failed(self, why: str) -> None:
        """It could not be reached: nobody is sent there until it answers again."""
        self.up, self.last_error = False, why

    async def look(self, client: httpx.AsyncClient) -> None:
        """Ask whether it is there. An engine that loads or ends says 503."""
        if not (url := self.url):
            return self.failed("nobody serves it now")
        try:
            answer = await client.get(f"{url}/models", headers=self.headers(), timeout=ASK_TIMEOUT)
        except httpx.HTTPError as error:
            return self.failed(f"{type(error).__name__}: {error}".strip(": "))
        if answer.status_code < 400 or answer.status_code in _AUTHORIZED or answer.status_code == 404:
            self.up, self.last_error = True, ""
        else:
            self.failed(f"status {answer.status_code}")
