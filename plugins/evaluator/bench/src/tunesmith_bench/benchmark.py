"""A measurement: points of a sweep, one after the other, each of several runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tunesmith.contracts import TunesmithError
from tunesmith_bench.load.arrivals import ARRIVALS
from tunesmith_bench.load.run import Driver, Run, Transport
from tunesmith_bench.load.warm_up import WarmUp
from tunesmith_bench.results.point import Load, Point
from tunesmith_bench.results.run_result import RunResult
from tunesmith_bench.results.slo import Slo
from tunesmith_bench.workload.prompts import Scale, Workload
from tunesmith_bench.workload.token_counter import NOBODY, TokenCounter


@dataclass(frozen=True)
class Plan:
    """
    Args:
        requests: measured in a run.
        runs: of a point.
        warm_up: answers after which a warm-up ends at the latest; 0: ten windows of its test.
    """

    requests: int = 100
    runs: int = 3
    seed: int = 0
    warm_up: int = 0
    slo: Slo = field(default_factory=Slo)


class Listener(Protocol):
    def phase(self, point: str, run: int, phase: str, done: int, total: int) -> None: ...

    def point(self, point: Point) -> None: ...


class Benchmark:
    """Measures points; those that are done stand in `points`, also when it was interrupted.

    Args:
        scale: of made-up prompts.
    """

    def __init__(
        self, transport: Transport, workload: Workload, counter: TokenCounter, plan: Plan, listener: Listener, scale: Scale | None = None
    ) -> None:  # fmt: skip
        self._transport, self._workload, self._counter, self.plan = transport, workload, counter, plan
        self._listener, self._scale = listener, scale or Scale()
        self.points: list[Point] = []
        self.counted_by = NOBODY
        self._seed = plan.seed

    async def sweep(self, loads: Sequence[Load]) -> None:
        for load in loads:
            await self.measure(load, self._before(load))

    def _before(self, load: Load) -> Point | None:
        smaller = [point for point in self.points if point.load.is_open == load.is_open and point.load.size < load.size]
        return max(smaller, key=lambda point: point.load.size, default=None)

    async def measure(
        self, load: Load, before: Point | None = None, *, hopeless: Callable[[Sequence[RunResult]], bool] = lambda runs: False
    ) -> Point:  # fmt: skip
        """A point, which is kept also if it is interrupted in a later run.

        Args:
            hopeless: asked after each run whether the others can be left out.

        Raises:
            TunesmithError: TS-BENCH-010 when not one request was answered.
        """
        results: list[RunResult] = []
        disagreements: list[float] = []
        try:
            for number in range(1, self.plan.runs + 1):
                run = Run()
                try:
                    await self._run(load, number, run)
                finally:
                    self._counter.count(run.records)
                    if (result := RunResult.of(run, self.plan.slo, self.plan.requests)) is not None:
                        results.append(result)
                        source = self._counter.source(run.records)
                        self.counted_by = source if source != NOBODY else self.counted_by
                        if (share := self._counter.disagreement(run.records)) is not None:
                            disagreements.append(share)
                if result and not any(result.samples["ttft"]):
                    raise nothing_answered(result)
                if hopeless(results):
                    break
        finally:
            if results and any(result.samples["ttft"] for result in results):
                unequal = max(disagreements, key=abs, default=None)
                point = Point.of(load, results, before, unequal)
                self.points.append(point)
                self._listener.point(point)
        return point

    async def _run(self, load: Load, number: int, run: Run) -> None:
        self._seed += 1  # no two runs ask the same, so that none profits from what an earlier one left in a cache
        seed = self._seed
        together = load.concurrency or max(1, round(load.rate))
        warm_up = WarmUp(together, self.plan.warm_up)

        def told(phase: str, done: int) -> None:
            total = self.plan.requests if phase == "measured" else 0
            self._listener.phase(str(load), number, phase, done, total)

        driver = Driver(self._transport, self._workload.requests(seed, self._scale), self.plan.requests, warm_up, run, told)
        if load.is_open:
            await driver.open(ARRIVALS[load.arrival](load.rate, seed))
        else:
            await driver.closed(load.concurrency)


def nothing_answered(result: RunResult) -> TunesmithError:
    why = "; ".join(f"{count} times: {error}" for error, count in result.errors.items())
    fix = "See the server's log; the address is the API's base, as http://127.0.0.1:8000/v1."
    return TunesmithError("TS-BENCH-010", f"of {result.requests} requests, none was answered", why=why, fix=fix)
