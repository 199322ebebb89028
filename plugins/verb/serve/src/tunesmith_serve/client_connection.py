"""A client's connection: HTTP/1.1 by uvicorn, closed where nothing moves on it. For servers that bring uvicorn."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """uvicorn closes connections that are idle after a request; this one also those on which none ever comes, or half of one (a client that
    sends a byte now and then begins no new time), and those whose client does not read. A body that stops coming is the routes' affair."""

    patience = 30.0
    _idle: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    @classmethod
    def patient(cls, seconds: float) -> type[Connection]:
        return type("Connection", (cls,), {"patience": seconds})

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck = _off(self._stuck)

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle, self._stuck = _off(self._idle), _off(self._stuck)
        super().connection_lost(exc)

    def _look(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._idle = _off(self._idle)
        elif self._idle is None and not self.transport.is_closing():
            self._idle = self.loop.call_later(self.patience, self.transport.abort)


def _off(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
