"""A measurement as lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith_bench.results.comparison import Row
from tunesmith_bench.results.found_rate import RateSearch
from tunesmith_bench.results.point import Point

HEAD = ("load", "requests", "ttft p50", "p99", "itl p50", "p99", "e2e p50", "p99", "tokens/s", "requests/s", "goodput")


def milliseconds(value: float | None) -> str:
    """``312 ms``; what is not known is said to be so."""
    if value is None:
        return "unknown"
    return f"{value * 1000:.0f} ms" if value >= 0.1 else f"{value * 1000:.3g} ms"


def rate(entry: Mapping[str, Any], runs: int) -> str:
    """The mean over the runs, and half of what they lie apart, where there are several."""
    if entry["mean"] is None:
        return "unknown" if entry["of_runs"] else "-"
    low, high = entry["of_runs"]
    return f"{entry['mean']:.4g}" + (f" ± {(high - low) / 2:.2g}" if runs > 1 else "")


def point_cells(point: Point) -> list[str]:
    figures = point.figures
    latencies = [milliseconds(figures[name][label]) for name in ("ttft", "itl", "e2e") for label in ("p50", "p99")]
    rates = [rate(figures[name], len(point.runs)) for name in ("output_tokens_per_second", "requests_per_second", "goodput")]
    return [str(point.load), str(figures["requests"]), *latencies, *rates]


def point_rows(points: Sequence[Point]) -> list[list[str]]:
    return [list(HEAD), *map(point_cells, points)]


def doubt_lines(points: Sequence[Point]) -> list[str]:
    return [f"{point.load}: {mark.name}: {mark.why}" for point in points for mark in point.marks]


def search_line(search: RateSearch) -> str:
    if not search.kept:
        return f"No rate keeps it: {search.probes[-1]['why']} at {search.probes[-1]['rate']:.3g} requests a second."
    above = f"; {search.broken:.3g} do not" if search.broken else ", the highest that was tried"
    return f"{search.kept:.3g} requests a second keep it{above}."


def comparison_rows(rows: Sequence[Row]) -> list[list[str]]:
    out = [["load", "figure", "A", "B", "B less A (95 %)", "verdict"]]
    for row in rows:
        show = milliseconds if " " in row.figure else (lambda value: "unknown" if value is None else f"{value:.4g}")
        between = (
            f"{_signed(row.found.value, show)} ({_signed(row.found.low, show)} to {_signed(row.found.high, show)})" if row.found else ""
        )
        out.append([row.load, row.figure.replace("_", " "), show(row.one), show(row.other), between, row.verdict])
    return out


def _signed(value: float, show: Any) -> str:
    return f"{'+' if value >= 0 else '-'}{show(abs(value))}"
