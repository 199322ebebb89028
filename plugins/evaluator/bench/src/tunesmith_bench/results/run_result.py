"""What a run gave, as figures of the run and one value a request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith_bench.load.record import Record
from tunesmith_bench.load.run import Run
from tunesmith_bench.results.slo import Slo
from tunesmith_bench.statistics.quantiles import quantile

LATENCIES = ("ttft", "itl", "e2e", "stall")  #: figures of a request, in seconds
RATES = ("output_tokens_per_second", "requests_per_second", "goodput")  #: figures of a run


@dataclass(frozen=True)
class RunResult:
    """
    Args:
        samples: by figure, of the requests that were answered, in the order of their arrival; in seconds.
        rates: see `RATES`; None where it is not known.
        requests, failed: of the measured part; `kept`: those that kept the service level objective, None where there is none.
        errors: how often each was the reason.
        seconds: of the measured part.
        warm_up: answers before it; `stationary`: whether they came to show no trend.
        late_p99, lag_p99: seconds by which requests were sent late, and by which the sender's event loop woke late.
        busy: share of a core that the sender took.
        arrivals: requests that were to be sent in a second of the measured part.
        prompt_tokens, output_tokens: means.
        interrupted: whether it is less than was asked for.
    """

    samples: Mapping[str, list[float]]
    rates: Mapping[str, float | None]
    requests: int
    kept: int | None
    failed: int
    seconds: float
    warm_up: int
    stationary: bool
    late_p99: float
    lag_p99: float
    busy: float
    arrivals: float
    prompt_tokens: float | None = None
    output_tokens: float | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    interrupted: bool = False

    @classmethod
    def of(cls, run: Run, slo: Slo, asked: int) -> RunResult | None:
        """None where nothing was measured.

        Rates are of the time from the first measured arrival to the end of the last measured answer, in which the load did not let up: all
        answers that end then count, and all tokens that came then, also those of requests that arrived before or after.
        """
        measured = run.measured
        answered = [record for record in measured if record.answered]
        if not measured:
            return None
        seconds = max(run.ended - run.began, 1e-9)
        ended = sum(1 for record in run.records if record.answered and run.began < record.ended <= run.ended)
        requests = ended / seconds
        kept = sum(map(slo.keeps, measured))
        arrived = [record.intended for record in measured]
        gaps = max(arrived) - min(arrived)
        return cls(
            samples={name: [v for record in answered if (v := getattr(record, name)) is not None] for name in LATENCIES},
            rates={
                "output_tokens_per_second": _tokens(run, answered, seconds), "requests_per_second": requests,
                "goodput": requests * kept / max(1, len(answered)) if slo.bounds else None,
            },
            requests=len(measured), kept=kept if slo.bounds else None, failed=len(measured) - len(answered), seconds=seconds,
            warm_up=sum(1 for record in run.records if record.phase == "warm-up" and record.ended), stationary=run.stationary,
            late_p99=quantile([record.late for record in measured], 0.99), lag_p99=quantile(run.lag.lags or [0.0], 0.99),
            busy=run.lag.busy, arrivals=(len(arrived) - 1) / gaps if gaps > 0 else 0.0,
            prompt_tokens=_mean(record.prompt_tokens for record in answered),
            output_tokens=_mean(record.output_tokens for record in answered),
            errors=dict(Counter(record.error for record in measured if record.error).most_common(5)), interrupted=len(measured) < asked,
        )  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunResult:
        return cls(**data)


def _tokens(run: Run, answered: list[Record], seconds: float) -> float | None:
    """Output tokens a second. The tokens of an answer are spread evenly over its pieces; of an answer that was not taken to its end, the
    pieces count as those of whole answers do on average."""
    counted = [record for record in answered if record.output_tokens is not None]
    pieces = sum(len(record.pieces) for record in counted)
    if not pieces:
        return None
    usual = sum(record.output_tokens or 0 for record in counted) / pieces
    total = 0.0
    for record in run.records:
        inside = sum(run.began < at <= run.ended for at in record.pieces)
        known = record.answered and record.output_tokens is not None
        total += inside * ((record.output_tokens or 0) / len(record.pieces) if known else usual)
    return total / seconds


def _mean(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
