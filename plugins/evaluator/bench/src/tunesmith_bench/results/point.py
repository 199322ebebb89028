"""A point of a sweep: its runs, their figures together, and what is to be doubted about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from tunesmith_bench.results.marks import Mark, marks_of
from tunesmith_bench.results.run_result import LATENCIES, RATES, RunResult
from tunesmith_bench.statistics.quantiles import known_quantile

SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Load:
    """So many requests at all times (closed loop), or so many a second on average (open loop)."""

    concurrency: int = 0
    rate: float = 0.0
    arrival: str = "poisson"

    @property
    def is_open(self) -> bool:
        return self.rate > 0

    def __str__(self) -> str:
        return f"{self.rate:.4g}/s" if self.is_open else f"{self.concurrency} at once"

    @property
    def size(self) -> float:
        return self.rate if self.is_open else float(self.concurrency)


@dataclass(frozen=True)
class Point:
    load: Load
    runs: Sequence[RunResult]
    marks: Sequence[Mark] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, load: Load, runs: Sequence[RunResult], before: Point | None = None, unequal: float | None = None) -> Point:
        """
        Args:
            before: the point with the next smaller load, which shows whether more of it brings more.
            unequal: see `TokenCounter.disagreement`.
        """
        figures = figures_of(runs)
        earlier = (before.load.size, before.figures) if before else None
        return cls(load, runs, marks_of(load.size, load.is_open, runs, figures, earlier, unequal), figures)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Point:
        runs = [RunResult.from_json(run) for run in data["runs"]]
        return cls(Load(**data["load"]), runs, [Mark(**mark) for mark in data["marks"]], data["figures"])


def figures_of(runs: Sequence[RunResult]) -> dict[str, Any]:
    """Latencies of all requests of all runs together: mean, percentiles (None: too few requests for it), and for each the least and the
    largest of the runs'. Rates: the runs' mean, least and largest."""
    figures: dict[str, Any] = {
        "requests": sum(run.requests for run in runs), "failed": sum(run.failed for run in runs), "runs": len(runs),
        "prompt_tokens": _over([run.prompt_tokens for run in runs]), "output_tokens": _over([run.output_tokens for run in runs]),
    }  # fmt: skip
    for name in LATENCIES:
        values = [value for run in runs for value in run.samples[name]]
        entry: dict[str, Any] = {"count": len(values), "mean": _over([float(np.mean(values))] if values else [])}
        entry |= {label: known_quantile(values, share) for label, share in SHARES.items()}
        medians = [float(np.median(run.samples[name])) for run in runs if run.samples[name]]
        entry["p50_of_runs"] = [min(medians), max(medians)] if medians else None
        figures[name] = entry
    for name in RATES:
        known = [value for run in runs if (value := run.rates[name]) is not None]
        figures[name] = {"mean": _over(known), "of_runs": [min(known), max(known)] if known else None}
    return figures


def _over(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
