"""A server that exists as its times alone: so many places, a wait for the first token and one between tokens."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tunesmith_bench.load.record import Record, Request


@dataclass
class SimulatedServer:
    """
    Args:
        places: answers at the same time; more of them wait in their order.
        first, between: seconds to the first token, once there is a place, and between two tokens.
        together: tokens in a piece of the stream.
        failing: share of the requests that fail.
        cold: for how many requests the first token takes how much longer at first, less and less.
        counts: whether it tells usage.
    """

    places: int = 1_000_000
    first: float = 0.2
    between: float = 0.05
    together: int = 1
    failing: float = 0.0
    cold: Callable[[int], float] = lambda number: 0.0
    counts: bool = True
    seed: int = 0
    seen: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.places)
        self._chance = random.Random(self.seed)

    async def send(self, request: Request, record: Record) -> None:
        loop = asyncio.get_running_loop()
        self.seen.append(request)
        number = len(self.seen)
        async with self._free:
            await asyncio.sleep(self.first + self.cold(number))
            if self._chance.random() < self.failing:
                record.error, record.ended = "HTTP 500: by chance", loop.time()
                return
            record.pieces.append(loop.time())
            left = request.max_tokens - 1
            while left > 0:
                tokens = min(self.together, left)
                await asyncio.sleep(self.between * tokens)
                record.pieces.append(loop.time())
                left -= tokens
        record.prompt_tokens = len(str(request.body["messages"][-1]["content"]).split())
        record.usage_tokens = request.max_tokens if self.counts else None
        record.ended = loop.time()


class Silent:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, int, str, int, int]] = []
        self.points: list[object] = []

    def phase(self, point: str, run: int, phase: str, done: int, total: int) -> None:
        self.phases.append((point, run, phase, done, total))

    def point(self, point: object) -> None:
        self.points.append(point)
