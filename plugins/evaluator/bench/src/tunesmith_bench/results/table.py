"""A measurement as lines for a terminal, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith_bench.results.comparison import Row
from tunesmith_bench.results.found_rate import RateSearch
from tunesmith_bench.results.marks import Mark
from tunesmith_bench.results.point import Point
from tunesmith_bench.results.result_file import Measurement
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import translated

LATENCIES = ("ttft p50", "p99", "itl p50", "p99", "e2e p50", "p99")


def milliseconds(value: float | None) -> str:
    """``312 ms``; what is not known is said to be so."""
    if value is None:
        return _("unknown")
    return f"{value * 1000:.0f} ms" if value >= 0.1 else f"{value * 1000:.3g} ms"


def rate(entry: Mapping[str, Any], runs: int) -> str:
    """The mean over the runs, and half of what they lie apart, where there are several."""
    if entry["mean"] is None:
        return _("unknown") if entry["of_runs"] else "-"
    low, high = entry["of_runs"]
    return f"{entry['mean']:.4g}" + (f" ± {(high - low) / 2:.2g}" if runs > 1 else "")


def point_cells(point: Point) -> list[str]:
    figures = point.figures
    latencies = [milliseconds(figures[name][label]) for name in ("ttft", "itl", "e2e") for label in ("p50", "p99")]
    rates = [rate(figures[name], len(point.runs)) for name in ("output_tokens_per_second", "requests_per_second", "goodput")]
    return [load_text(point), str(figures["requests"]), *latencies, *rates]


def point_rows(points: Sequence[Point]) -> list[list[str]]:
    head = [_("load"), _("requests"), *LATENCIES, _("tokens/s"), _("requests/s"), _("goodput")]
    return [head, *map(point_cells, points)]


def load_text(point: Point) -> str:
    return translated(str(point.load))


def counter_text(measurement: Measurement) -> str:
    """Who counted the tokens."""
    told = {"tokenizer": _("the model's tokenizer"), "usage": _("the server (usage)"), "nobody": _("nobody: they are unknown")}
    return told[measurement.counted_by]


def mark_text(mark: Mark) -> str:
    words = {"client-bound": _("client-bound"), "queue-bound": _("queue-bound"), "failures": _("failures")}
    return words.get(mark.name) or translated(mark.name)


def doubt_lines(points: Sequence[Point]) -> list[str]:
    return [
        _("{load}: {doubt}: {why}", load=load_text(point), doubt=mark_text(mark), why=translated(mark.why))
        for point in points
        for mark in point.marks
    ]


def search_line(search: RateSearch) -> str:
    if not search.kept:
        last = search.probes[-1]
        return _("No rate keeps it: {why} at {rate} requests a second.", why=translated(last["why"]), rate=f"{last['rate']:.3g}")
    kept = f"{search.kept:.3g}"
    if not search.broken:
        return _("{kept} requests a second keep it, the highest that was tried.", kept=kept)
    return _("{kept} requests a second keep it; {broken} do not.", kept=kept, broken=f"{search.broken:.3g}")


def comparison_rows(rows: Sequence[Row]) -> list[list[str]]:
    out = [[_("load"), _("figure"), "A", "B", _("B less A (95 %)"), _("verdict")]]
    for row in rows:
        show = milliseconds if " " in row.figure else (lambda value: _("unknown") if value is None else f"{value:.4g}")
        between = ""
        if row.found:
            low, high = (_signed(value, show) for value in (row.found.low, row.found.high))
            between = f"{_signed(row.found.value, show)} ({_('{low} to {high}', low=low, high=high)})"
        out.append(
            [
                translated(row.load),
                translated(row.figure).replace("_", " "),
                show(row.one),
                show(row.other),
                between,
                translated(row.verdict),
            ]
        )
    return out


def _signed(value: float, show: Any) -> str:
    return f"{'+' if value >= 0 else '-'}{show(abs(value))}"
