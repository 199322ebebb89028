"""The server elsewhere, as its only client here asks it."""

from __future__ import annotations

import asyncio
import contextlib
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tunesmith.contracts import UserError
from tunesmith.contracts.allowed_hosts import is_loopback

CONNECT, LIST = 30.0, 60.0  # seconds for a connection, and for the list of models
NO_SUCH_ROUTE = (404, 405, 501)
LARGEST_REFUSAL = 2**20  # bytes of an answer that says what is wrong


class Upstream:
    """
    Args:
        url: the API's base there.
        key: a bearer token; it is sent to `url` alone (redirects are not followed) and told to nobody.
        timeout: seconds without a byte after which an answer is given up.
    """

    def __init__(self, url: str, key: str, timeout: float) -> None:
        self.url, self._key = url.rstrip("/"), key
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=timeout)

    async def __aenter__(self) -> Upstream:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), headers=headers, timeout=self._timeout, proxy=_proxy(self.url)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    @asynccontextmanager
    async def post(self, route: str, body: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a request, its body not yet read.

        Raises:
            aiohttp.ClientError, OSError, asyncio.TimeoutError: there is none.
        """
        async with self._session.post(f"{self.url}/{route}", json=body, allow_redirects=False) as reply:
            yield reply

    async def refusal(self, reply: aiohttp.ClientResponse) -> bytes:
        """The body of an answer that says what is wrong. Some servers repeat the key in it: then it is taken out."""
        body = b""
        async for chunk in reply.content.iter_any():
            body += chunk
            if len(body) > LARGEST_REFUSAL:
                break
        body = body[:LARGEST_REFUSAL]
        return body.replace(self._key.encode(), b"[key]") if self._key else body

    async def model(self, wanted: str) -> str:
        """The name of the model to ask for: `wanted`, or the first that the server lists.

        Raises:
            UserError: TS-SERVE-052 when the server can't be asked, TS-SERVE-053 when it has no such model.
        """
        names = await self._names()
        if names is None and wanted:
            return wanted  # not every server has the route
        if not names:
            raise self._unusable("it has no list of models" if names is None else "its list of models is empty", "Name one by `model`.")
        if not wanted:
            return names[0]
        base = wanted.rpartition(":")[0]  # routers take `name:variant` and list the name
        if wanted not in names and base not in names and not await self._knows(wanted):
            close = get_close_matches(wanted, names, n=3, cutoff=0.4) or names[:3]
            raise UserError("TS-SERVE-053", f"{self.url} has no model `{wanted}`", why=f"It lists {len(names)}, and this is none of them.",
                            fix=f"Is it {' or '.join(f'`{name}`' for name in close)}? Without `model` it is the first.")  # fmt: skip
        return wanted

    async def _names(self) -> list[str] | None:
        """What it lists; None where it has no such route."""
        status, said = await self._get("models")
        if status in NO_SUCH_ROUTE:
            return None
        if status in (401, 403):
            raise self._unusable(f"HTTP {status}", "Does `api_key_env` name the right key, and is it still valid?")
        try:
            if status == 200:
                return [str(entry["id"]) for entry in said["data"]]
        except (LookupError, TypeError):
            pass
        raise self._unusable(f"asked for its models it says HTTP {status} and no list", "Is it the API's base, which often ends in /v1?")

    async def _knows(self, name: str) -> bool:
        """Whether it knows a model that it does not list."""
        status, _ = await self._get(f"models/{name}")
        return status == 200

    async def _get(self, route: str) -> tuple[int, Any]:
        """Status, and the decoded body if it is JSON."""
        total = aiohttp.ClientTimeout(total=LIST, sock_connect=CONNECT, sock_read=self._timeout.sock_read)
        try:
            async with self._session.get(f"{self.url}/{route}", allow_redirects=False, timeout=total) as reply:
                with contextlib.suppress(ValueError):
                    return reply.status, await reply.json(content_type=None)
                return reply.status, None
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise self._unusable(str(error) or type(error).__name__, "Is the server up, and is the URL right?") from error

    def _unusable(self, why: str, fix: str) -> UserError:
        return UserError("TS-SERVE-052", f"{self.url} can't be asked as an OpenAI-compatible API", why=why, fix=fix)


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address. (aiohttp's own `trust_env` reads passwords from ~/.netrc, too.)"""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(parts.scheme)
