"""One run at one load: warm-up, the measured requests, and load on until the last of these is answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from tunesmith_bench.load.client_lag import ClientLag
from tunesmith_bench.load.record import AFTER, MEASURED, WARM_UP, Record, Request
from tunesmith_bench.load.warm_up import WarmUp


class Transport(Protocol):
    async def send(self, request: Request, record: Record) -> None:
        """Send a request and note in its record when what came. Failures are noted as well, not raised."""


@dataclass
class Run:
    """What was sent in a run, and when.

    Args:
        records: of all requests, in the order in which they were to be sent.
        began, ended: of the measured part: the first measured arrival, the end of the last measured answer. 0 where it was not reached.
        stationary: whether the warm-up ended because the server had become stationary.
    """

    records: list[Record] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    stationary: bool = False
    lag: ClientLag = field(default_factory=ClientLag)

    @property
    def measured(self) -> list[Record]:
        """Requests of the measured part that have come to an end."""
        return [record for record in self.records if record.phase == MEASURED and record.ended]


class Driver:
    """Sends requests by an arrival process, or one after the other in so many places.

    Args:
        requests: what to send next; without end.
        count: requests that are measured.
        run: what is kept; filled as it comes, so that whoever interrupts the driver finds what there is.
        told: called with the phase and how many of its requests have ended.
    """

    def __init__(
        self, transport: Transport, requests: Iterator[Request], count: int, warm_up: WarmUp, run: Run,
        told: Callable[[str, int], None] = lambda phase, done: None,
    ) -> None:  # fmt: skip
        self._transport, self._requests, self._count, self._warm_up = transport, requests, count, warm_up
        self.run, self._told = run, told
        self._measured = self._done = 0  # requests of the measured part that were to be sent, that have ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._finished = asyncio.Event()

    async def closed(self, concurrency: int) -> Run:
        """So many requests under way at all times: each place sends its next one when its last is answered."""

        async def place() -> None:
            free = self._now()
            while not self._finished.is_set():
                await self._one(free)
                free = self._now()

        return await self._until_measured([place() for _ in range(concurrency)])

    async def open(self, arrivals: Iterator[float]) -> Run:
        """Requests at their drawn times, whether or not earlier ones are answered."""

        async def arrive() -> None:
            start = self._now()
            for offset in arrivals:
                if self._finished.is_set():
                    return
                due = start + offset
                if (wait := due - self._now()) > 0:
                    await asyncio.sleep(wait)
                task = asyncio.ensure_future(self._one(due))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

        return await self._until_measured([arrive()])

    async def _until_measured(self, sources: list[object]) -> Run:
        self._tasks |= {asyncio.ensure_future(source) for source in sources}  # type: ignore[arg-type]
        senders = list(self._tasks)
        over = asyncio.ensure_future(self._finished.wait())
        self._tasks.add(over)  # type: ignore[arg-type]
        try:
            async with self.run.lag:
                await asyncio.wait([over, *senders], return_when=asyncio.FIRST_COMPLETED)
                for sender in senders:
                    if sender.done():
                        sender.result()  # a sender never ends by itself: this raises what broke it
        finally:
            self._finished.set()  # ends a sender whose cancellation got lost, as in asyncio.wait_for before Python 3.12
            for task in list(self._tasks):
                task.cancel()
            for task in list(self._tasks):
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
            self.run.ended = self.run.ended or max((record.ended for record in self.run.measured), default=0.0)
        return self.run

    async def _one(self, intended: float) -> None:
        record = Record(intended, self._phase(intended))
        self.run.records.append(record)
        record.sent = self._now()
        await self._transport.send(next(self._requests), record)
        record.ended = record.ended or self._now()
        if record.phase == WARM_UP:
            self._warm_up.add(record)
            self._told(WARM_UP, len(self._warm_up.seen))
        elif record.phase == MEASURED:
            self._done += 1
            self._told(MEASURED, self._done)
            if self._done == self._count:
                self.run.ended = self._now()
                self._finished.set()

    def _phase(self, intended: float) -> str:
        if not self._warm_up.over:
            return WARM_UP
        if self._measured == self._count:
            return AFTER
        if not self._measured:
            self.run.began, self.run.stationary = intended, self._warm_up.stationary
        self._measured += 1
        return MEASURED

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
