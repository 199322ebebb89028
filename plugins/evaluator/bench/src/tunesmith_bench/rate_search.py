"""The highest rate of arrivals at which a server keeps a service level objective: doubling, then bisection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tunesmith_bench.benchmark import Benchmark
from tunesmith_bench.results.found_rate import RateSearch
from tunesmith_bench.results.point import Load, Point
from tunesmith_bench.results.run_result import RunResult

PRECISION = 1.05  #: the search ends when the lowest rate that broke it is at most so many times the highest that kept it
PROBES = 20  #: at most
LOWEST = 32  #: a rate is not looked for below this part of what one request at a time comes to


async def find_rate(benchmark: Benchmark, arrival: str = "poisson") -> RateSearch:
    """Search between the rates that keep the objective and those that do not, beginning at the rate that one request at a time comes to;
    where even that does not keep it, no rate does. Each probe is a point of the benchmark; its further runs
    are left out once nothing can save it.

    A rate keeps it where at least `slo.share` of the requests do and the queue does not grow. More load is taken to be never easier.
    """
    probes: list[dict[str, Any]] = []
    best: Point | None = None
    wanted = benchmark.plan.slo.share
    allowed = (1 - wanted) * benchmark.plan.requests * benchmark.plan.runs

    def hopeless(runs: Sequence[RunResult]) -> bool:
        """Whether the objective is broken whatever the runs to come give."""
        return sum(run.requests - (run.kept or 0) for run in runs) > allowed

    async def tried(load: Load) -> tuple[Point, bool]:
        point = await benchmark.measure(load, hopeless=hopeless)
        share, why = judged(point, wanted)
        rate = load.rate or point.figures["requests_per_second"]["mean"]
        why = f"one at a time, {why}" if why and not load.rate else why
        probes.append({"rate": rate, "share": share, "kept": not why, "why": why})
        return point, not why

    async def keeps(rate: float) -> bool:
        nonlocal best
        point, kept = await tried(Load(rate=rate, arrival=arrival))
        if kept and (best is None or rate > best.load.rate):
            best = point
        return kept

    alone, possible = await tried(Load(concurrency=1))
    if not possible:
        return RateSearch(0.0, 0.0, None, probes)
    start = alone.figures["requests_per_second"]["mean"]
    kept, broken, rate = 0.0, 0.0, start
    while len(probes) < PROBES and rate >= start / LOWEST and not (kept and broken):
        if await keeps(rate):
            kept, rate = rate, rate * 2
        else:
            broken, rate = rate, rate / 2
    while len(probes) < PROBES and kept and broken / kept > PRECISION:
        middle = math.sqrt(kept * broken)
        if await keeps(middle):
            kept = middle
        else:
            broken = middle
    return RateSearch(kept, broken, best.figures["goodput"]["mean"] if best else None, probes)


def judged(point: Point, share: float) -> tuple[float, str]:
    """The share of a point's requests that keep the objective, and why that is not enough; empty where it is."""
    requests = sum(run.requests for run in point.runs)
    kept = sum(run.kept or 0 for run in point.runs) / requests
    if kept < share:
        return kept, f"{kept:.1%} of {requests} requests keep it, not {share:.1%}"
    queue = next((mark.why for mark in point.marks if mark.name == "queue-bound"), "")
    return kept, queue
