"""A request's body: read within bounds of size and time, and looked at for what routing has to know."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from tunesmith_gateway.api_errors import ApiError

LARGE = 2**17  # bytes from which reading JSON would hold up others


class Gone(Exception):
    """The client has hung up."""


@dataclass(frozen=True)
class Body:
    """A request as it came, and as data."""

    raw: bytes
    data: dict[str, Any]

    @property
    def model(self) -> str:
        return str(self.data["model"])

    @property
    def stream(self) -> bool:
        return self.data.get("stream") is True

    def under(self, model: str) -> bytes:
        """The body as a server is to see it that knows the model by another name."""
        return self.raw if model == self.data["model"] else json.dumps({**self.data, "model": model}).encode()


async def read_body(request: Request, most: int, timeout: float) -> Body:
    """
    Args:
        most: bytes.
        timeout: seconds for the whole of it.

    Raises:
        ApiError: 400, 408, 413, 415.
        Gone: the client hung up.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # what a browser sends to anywhere for any page is not that
        raise ApiError(415, f"The body should be JSON and say so: `Content-Type: application/json`, not `{kind[:100]}`")
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told[:20]) > most:
        raise _too_large(most)
    try:
        raw = await asyncio.wait_for(_read(request, most), timeout)
    except asyncio.TimeoutError:
        raise ApiError(408, f"The whole request did not come within {timeout:g} seconds") from None
    except ClientDisconnect:
        raise Gone from None
    data = await asyncio.to_thread(_parsed, raw) if len(raw) > LARGE else _parsed(raw)
    return Body(raw, data)


async def _read(request: Request, most: int) -> bytes:
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > most:
            raise _too_large(most)
    return bytes(raw)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        data = json.loads(raw, parse_constant=_no_number)
    except RecursionError:
        raise ApiError(400, "The body is nested too deeply") from None
    except ValueError as error:
        raise ApiError(400, f"The body is not JSON: {str(error)[:200]}") from None
    if not isinstance(data, dict):
        raise ApiError(400, "The body should be a JSON object")
    if not isinstance(data.get("model"), str):
        raise ApiError(400, "`model` should name a model", param="model")
    return data


def _too_large(most: int) -> ApiError:
    return ApiError(413, f"The request is larger than {most} bytes", code="request_too_large")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
