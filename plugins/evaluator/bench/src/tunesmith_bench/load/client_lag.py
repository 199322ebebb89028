"""Whether the sender itself is too slow: how late its event loop wakes."""

from __future__ import annotations

import asyncio
import contextlib
import time

TICK = 0.02  # seconds between two looks


class ClientLag:
    """Wakes every 20 ms and notes by how much it was late; and the processor time that the sender took.

    Used as an asynchronous context around a run.
    """

    def __init__(self) -> None:
        self.lags: list[float] = []
        self.busy = 0.0  #: share of one core

    async def __aenter__(self) -> ClientLag:
        self._task = asyncio.ensure_future(self._watch())
        self._began, self._cpu = asyncio.get_running_loop().time(), time.process_time()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.busy = (time.process_time() - self._cpu) / max(1e-9, asyncio.get_running_loop().time() - self._began)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            self.lags.append(loop.time() - due)
