"""Which server answers a request for a model: versions with their shares, each of one server or several."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tunesmith_gateway.api_errors import ApiError
from tunesmith_gateway.routing.upstream import Upstream

KEPT = 10_000  # requests whose times are kept for a percentile


@dataclass
class Window:
    """What has become of a version's requests since `start`."""

    answered: int = 0
    failed: int = 0
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, seconds: float, failed: bool) -> None:
        self.answered += 1
        self.failed += failed
        if not failed:
            self.seconds.append(seconds)

    @property
    def error_rate(self) -> float:
        return self.failed / self.answered if self.answered else 0.0

    @property
    def p99(self) -> float:
        """Seconds within which 99 of 100 answers were whole (nearest rank); 0 without any."""
        ordered = sorted(self.seconds)
        return ordered[math.ceil(0.99 * len(ordered)) - 1] if ordered else 0.0


@dataclass(eq=False)
class Version:
    """Servers of one model that give the same answers.

    Args:
        share: of the requests, 0 to 1.
        pid: the process that carries out the run that serves it, where it is one of this home.
        run: that run.
    """

    name: str
    upstreams: list[Upstream]
    share: float = 1.0
    pid: int = 0
    run: str = ""
    credit: float = 0.0
    window: Window = field(default_factory=Window)

    @property
    def running(self) -> int:
        return sum(upstream.running for upstream in self.upstreams)

    def free(self, tried: Collection[Upstream]) -> list[Upstream]:
        return [upstream for upstream in self.upstreams if upstream.up and upstream not in tried and upstream.url]


@dataclass(eq=False)
class Route:
    """A model's name, and the versions behind it. While it is switched there are two."""

    name: str
    versions: list[Version]
    created: int = field(default_factory=lambda: int(time.time()))
    discovered: bool = False

    def choose(self, tried: Collection[Upstream] = (), version: Version | None = None) -> tuple[Version, Upstream] | None:
        """Who is to answer the next request; None if nobody can.

        Each version gets its share exactly, not by chance: the one that is furthest behind. Where it can't answer, another one does.

        Args:
            tried: servers that have failed at this request.
            version: the only one that may.
        """
        able = [v for v in self.versions if (v is version if version else v.share > 0) and v.free(tried)]
        if not able:
            return None
        if not tried:
            for one in able:
                one.credit += one.share
        chosen = max(able, key=lambda v: v.credit)
        if not tried:
            chosen.credit -= sum(one.share for one in able)
        return chosen, min(chosen.free(tried), key=lambda upstream: upstream.running)

    def shares(self, new: Version, share: float) -> None:
        """Give a version its share, and the others the rest."""
        for version in self.versions:
            version.share, version.credit = (share, 0.0) if version is new else (1 - share, 0.0)


@dataclass
class Routes:
    """By name."""

    by_name: dict[str, Route] = field(default_factory=dict)

    def find(self, name: str) -> Route:
        """
        Raises:
            ApiError: 404.
        """
        if route := self.by_name.get(name):
            return route
        raise ApiError(404, f"There is no model `{name[:100]}` here", code="model_not_found", param="model")

    def also_at(self, version: Version, route: Route) -> list[str]:
        """Other models that a version's servers answer for, too: they lose them when its run ends."""
        places = {upstream.url for upstream in version.upstreams} - {""}
        others = [other for other in list(self.by_name.values()) if other is not route]
        return [other.name for other in others if any(up.url in places for one in other.versions for up in one.upstreams)]

    def upstreams(self) -> Iterator[Upstream]:
        for route in list(self.by_name.values()):
            for version in list(route.versions):
                yield from version.upstreams
