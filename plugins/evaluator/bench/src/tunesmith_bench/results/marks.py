"""What is to be doubted about a point: marks, each with the figures that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith_bench.results.run_result import RunResult
from tunesmith_bench.statistics.trend import batch_means, mann_kendall

RUNS = 3  #: fewer are not enough to speak of spread
SERVED = 0.95  # an open loop in which a smaller share of the arrivals is answered is bound by its queue
NO_MORE, LONGER = 0.05, 1.5  # a load that brings at most so much more tokens, and first tokens that come so much later
LATE, LATE_SHARE = 0.005, 0.1  # seconds, and share of the median time to the first token, that the sender may be late
BUSY = 0.9  # of a core: the sender has no more to give
TREND, BATCHES = 0.01, 20  # p-value below which the measured part is not stationary; batches of requests that it is looked for in
SPREAD = 0.1  # of the mean, between the least and the largest run
FAILED = 0.0


@dataclass(frozen=True)
class Mark:
    name: str
    why: str


def marks_of(
    size: float, is_open: bool, runs: Sequence[RunResult], figures: Mapping[str, Any], before: tuple[float, Mapping[str, Any]] | None,
    unequal: float | None,
) -> list[Mark]:  # fmt: skip
    """Every doubt about a point.

    Args:
        size: requests a second, or at a time.
        before: the size and the figures of the next smaller load.
    """
    found = [_client(runs, figures), _queue(size, is_open, runs, figures, before), _trend(runs), _failed(figures)]
    if len(runs) < RUNS or any(run.interrupted for run in runs):
        found.append(Mark("few runs", f"{len(runs)} of at least {RUNS} runs, {figures['requests']} requests"))
    spread = figures["output_tokens_per_second"]
    if spread["of_runs"] and spread["mean"] and (apart := (spread["of_runs"][1] - spread["of_runs"][0]) / spread["mean"]) > SPREAD:
        found.append(Mark("runs differ", f"the runs' tokens per second lie {apart:.0%} of their mean apart"))
    if figures["output_tokens"] is None:
        found.append(Mark("tokens unknown", "there is no tokenizer, and the server sends no usage"))
    if unequal is not None:
        found.append(Mark("token counts differ", f"the server's usage is {unequal:+.1%} of what the tokenizer counts"))
    return [mark for mark in found if mark]


def _client(runs: Sequence[RunResult], figures: Mapping[str, Any]) -> Mark | None:
    late = max(max(run.late_p99, run.lag_p99) for run in runs)
    busy = max(run.busy for run in runs)
    first = figures["ttft"]["p50"] or figures["ttft"]["mean"] or 0.0
    if late > max(LATE, LATE_SHARE * first):
        milliseconds = late * 1000
        return Mark("client-bound", f"1 % of requests left, or of the sender's wake-ups came, more than {milliseconds:.1f} ms late")
    return Mark("client-bound", f"the sender took {busy:.0%} of a core") if busy > BUSY else None


def _queue(
    size: float, is_open: bool, runs: Sequence[RunResult], figures: Mapping[str, Any], before: tuple[float, Mapping[str, Any]] | None
) -> Mark | None:
    if is_open:
        arrived, answered = sum(run.arrivals for run in runs) / len(runs), figures["requests_per_second"]["mean"]
        if answered < SERVED * arrived:
            return Mark(
                "queue-bound", f"{answered:.3g} of {arrived:.3g} arrivals a second are answered: the queue grows as long as it lasts"
            )
        return None
    if before is None or size <= before[0]:
        return None
    now, then = (entry["output_tokens_per_second"]["mean"] or entry["requests_per_second"]["mean"] for entry in (figures, before[1]))
    first, earlier = figures["ttft"]["p50"], before[1]["ttft"]["p50"]
    if then and first and earlier and now <= then * (1 + NO_MORE) and first >= LONGER * earlier:
        return Mark("queue-bound", f"{size / before[0]:.3g} times the load brings {now / then - 1:+.0%} output, first tokens wait "
                    f"{first / earlier:.1f} times as long")  # fmt: skip
    return None


def _trend(runs: Sequence[RunResult]) -> Mark | None:
    """The warm-up ended at its ceiling, or latencies went on rising or falling while they were measured."""
    cold = sum(not run.stationary for run in runs)
    moving = 0
    for run in runs:
        values = run.samples["e2e"]
        trend = mann_kendall(batch_means(values, BATCHES) if len(values) >= 2 * BATCHES else values)
        moving += trend.p < TREND
    if cold or moving:
        return Mark("not stationary", f"of {len(runs)} runs, {cold} did not settle in their warm-up, {moving} show a trend while measured")
    return None


def _failed(figures: Mapping[str, Any]) -> Mark | None:
    if figures["failed"] > FAILED * figures["requests"]:
        return Mark("failures", f"{figures['failed']} of {figures['requests']} requests failed")
    return None
