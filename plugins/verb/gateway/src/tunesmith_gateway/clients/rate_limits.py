"""Limits of each client: a token bucket for its rate, a count for what it has under way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tunesmith_gateway.api_errors import ApiError
from tunesmith_gateway.clients.api_keys import Client

KEPT = 10_000  # clients remembered; those with nothing under way and a full bucket are forgotten first


@dataclass
class _Use:
    tokens: float
    at: float
    running: int = 0


@dataclass
class Limiter:
    clock: Callable[[], float] = time.monotonic
    _uses: dict[str, _Use] = field(default_factory=dict)

    @contextmanager
    def request(self, client: Client) -> Iterator[None]:
        """Count one request of a client for as long as it is under way.

        Raises:
            ApiError: 429 with the seconds after which another may be tried.
        """
        use, most = self._use(client), client.limits.concurrency
        if most and use.running >= most:
            raise ApiError(429, f"This key has {most} requests under way, as many as it may", code="concurrency_exceeded", retry_after=1)
        rate = client.limits.requests_per_minute
        if rate:
            if use.tokens < 1:
                wait = math.ceil((1 - use.tokens) * 60 / rate)
                what = f"This key may send {rate} requests a minute, and has"
                raise ApiError(429, what, code="rate_limit_exceeded", retry_after=wait)
            use.tokens -= 1
        use.running += 1
        try:
            yield
        finally:
            use.running -= 1

    def _use(self, client: Client) -> _Use:
        rate, now = client.limits.requests_per_minute, self.clock()
        use = self._uses.get(client.name)
        if use is None:
            if len(self._uses) >= KEPT:
                self._uses = {name: old for name, old in self._uses.items() if old.running or now - old.at < 60}
            use = self._uses[client.name] = _Use(rate, now)
        use.tokens, use.at = min(rate, use.tokens + max(0.0, now - use.at) * rate / 60), now
        return use
