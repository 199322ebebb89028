"""Requests over HTTP: streamed chat completions, each piece noted when it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tunesmith.contracts.allowed_hosts import is_loopback
from tunesmith_bench.load.record import Record, Request


class HttpTransport:
    """Speaks to the server at `url` (``http://127.0.0.1:8000/v1``); used as an asynchronous context.

    Args:
        model: its name in requests.
        key: sent as a bearer token; kept nowhere else.
        timeout: seconds for one answer.
        keep_text: whether records keep answers, for whoever counts tokens.
    """

    def __init__(self, url: str, model: str, key: str = "", timeout: float = 600.0, keep_text: bool = False) -> None:
        self.url, self.model, self.keep_text = url.rstrip("/"), model, keep_text
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout

    async def __aenter__(self) -> HttpTransport:
        # No limit of connections: a queue in the client would look like one in the server. What is on this machine is behind no proxy.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), headers=self._headers, timeout=aiohttp.ClientTimeout(total=self._timeout),
            trust_env=not is_loopback(urlsplit(self.url).hostname or ""),
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def models(self) -> list[str]:
        """Names of the models that the server has.

        Raises:
            aiohttp.ClientError, OSError, ValueError, LookupError: it does not say.
        """
        async with self._session.get(f"{self.url}/models", allow_redirects=False) as reply:
            reply.raise_for_status()
            return [str(model["id"]) for model in (await reply.json(content_type=None))["data"]]

    async def send(self, request: Request, record: Record) -> None:
        try:
            await self._ask(request, record)
        except asyncio.TimeoutError:
            record.error = f"no whole answer in {self._timeout:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            record.error = f"{type(error).__name__}: {error}"[:200]
        record.ended = asyncio.get_running_loop().time()

    async def _ask(self, request: Request, record: Record) -> None:
        body = {"model": self.model, **request.body, "stream": True, "stream_options": {"include_usage": True}}
        async with self._session.post(f"{self.url}/chat/completions", json=body, allow_redirects=False) as reply:
            if reply.status != 200:
                record.error = f"HTTP {reply.status}: {_message(await reply.text())}"
            else:
                await self._read(reply, record, asyncio.get_running_loop())

    async def _read(self, reply: aiohttp.ClientResponse, record: Record, loop: asyncio.AbstractEventLoop) -> None:
        finished = False
        async for data in events(reply.content.iter_any()):
            if data == b"[DONE]":
                finished = True
                continue
            event = json.loads(data)
            if event.get("error"):
                record.error = f"error event: {_message(data.decode(errors='replace'))}"
                return
            if usage := event.get("usage"):
                record.usage_tokens, record.prompt_tokens = usage.get("completion_tokens"), usage.get("prompt_tokens")
            for choice in event.get("choices") or ():
                if text := said(choice.get("delta") or {}):
                    record.pieces.append(loop.time())
                    if self.keep_text:
                        record.text += text
                finished = finished or bool(choice.get("finish_reason"))
        if not finished:
            record.error = "the stream broke off"
        elif not record.pieces:
            record.error = "the answer holds no text"


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of server-sent events of one line, as soon as they are whole."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()
    if rest.startswith(b"data:"):
        yield rest[5:].strip()


def said(delta: Mapping[str, Any]) -> str:
    """The text of a piece: of the answer, of the reasoning before it, of a tool's arguments."""
    text = str(delta.get("content") or delta.get("reasoning_content") or delta.get("reasoning") or "")
    return text or "".join(str((call.get("function") or {}).get("arguments") or "") for call in delta.get("tool_calls") or ())


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["error"]["message"])[:200]
    except (ValueError, LookupError, TypeError):
        return text[:200]
