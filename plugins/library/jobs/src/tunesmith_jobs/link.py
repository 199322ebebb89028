"""Messages between a host and an agent: those of the worker protocol, framed as there, over a TLS stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from tunesmith.isolation import protocol

BEAT = 2.0  # seconds between two signs of life


class Link:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._decoder = protocol.Decoder()

    async def messages(self) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """(method, params) of all that comes, until the other side is gone.

        Raises:
            TunesmithError: TS-RUN-002 for what is no message.
        """
        while True:
            try:
                data = await self._reader.read(65536)
            except (OSError, asyncio.IncompleteReadError):
                return
            if not data:
                return
            for message in self._decoder.feed(data):
                yield str(message.get("method")), message.get("params", {})

    async def send(self, method: str, params: Mapping[str, Any]) -> None:
        """
        Raises:
            OSError: the other side is gone.
        """
        self._writer.write(protocol.encode(protocol.notification(method, params)))
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()
