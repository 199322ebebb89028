"""Two measurements beside each other: which differences their runs show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tunesmith_bench.results.point import SHARES, Point
from tunesmith_bench.results.result_file import Measurement
from tunesmith_bench.results.run_result import LATENCIES, RATES
from tunesmith_bench.statistics.bootstrap import LEVEL, Difference, Estimate, difference, estimate, holm, of_run_figures
from tunesmith_bench.statistics.quantiles import least_values

NONE_SHOWN, UNKNOWN = "no difference shown", "unknown"


@dataclass(frozen=True)
class Row:
    """One figure at one load in both.

    Args:
        found: B less A with its 95 % interval; None where one of the two has too few runs or requests for it.
        p: corrected for the number of rows.
        verdict: ``B is better``, ``B is worse``, ``no difference shown``, or ``unknown``.
    """

    load: str
    figure: str
    one: float | None
    other: float | None
    found: Difference | None
    p: float | None
    verdict: str


def compare(one: Measurement, other: Measurement) -> list[Row]:
    """A row for each figure of each load that both have. With many rows some differ by chance: p-values are corrected for that."""
    rows = list(_rows(one, other))
    corrected = iter(holm([found.p for *_, found, _ in rows if found]))
    return [_judged(*row, next(corrected) if row[4] else None) for row in rows]


def _rows(one: Measurement, other: Measurement) -> Iterator[tuple[str, str, float | None, float | None, Difference | None, bool]]:
    theirs = {str(point.load): point for point in other.points}
    for point in one.points:
        twin = theirs.get(str(point.load))
        if twin is None:
            continue
        for figure, smaller_is_better in _figures():
            a, b = _estimate(point, figure), _estimate(twin, figure)
            if not any(_measured(one_of_them, figure) for one_of_them in (point, twin)):
                continue
            found = difference(a, b) if a and b else None
            yield str(point.load), figure, _shown(point, figure), _shown(twin, figure), found, smaller_is_better


def _measured(point: Point, figure: str) -> bool:
    """Whether there is anything of a figure, though it may be too little."""
    entry = point.figures[figure.partition(" ")[0]]
    return bool(entry.get("count") or entry.get("of_runs"))


def _figures() -> Iterator[tuple[str, bool]]:
    for name in LATENCIES[:3]:
        yield f"{name} mean", True
        for label in SHARES:
            yield f"{name} {label}", True
    for name in RATES:
        yield name, False


def _shown(point: Point, figure: str) -> float | None:
    name, _, label = figure.partition(" ")
    value = point.figures[name][label or "mean"]
    return None if value is None else float(value)


def _estimate(point: Point, figure: str) -> Estimate | None:
    """None with fewer than two runs, or too few requests for the percentile."""
    name, _, label = figure.partition(" ")
    if not label:
        values = [value for run in point.runs if (value := run.rates[name]) is not None]
        return of_run_figures(values) if len(values) > 1 else None
    runs = [run.samples[name] for run in point.runs if run.samples[name]]
    if len(runs) < 2 or (label in SHARES and sum(map(len, runs)) < least_values(SHARES[label])):
        return None
    return estimate(runs, partial(_quantile, SHARES[label]) if label in SHARES else _mean)


def _mean(values: np.ndarray) -> float:
    return float(values.mean())


def _quantile(share: float, values: np.ndarray) -> float:
    return float(np.quantile(values, share))


def _judged(
    load: str, figure: str, one: float | None, other: float | None, found: Difference | None, smaller: bool, p: float | None
) -> Row:  # fmt: skip
    if found is None or p is None:
        return Row(load, figure, one, other, None, None, UNKNOWN)
    verdict = NONE_SHOWN if p >= LEVEL else f"B is {'better' if (found.value < 0) is smaller else 'worse'}"
    return Row(load, figure, one, other, found, p, verdict)


def reservations(one: Measurement, other: Measurement) -> list[str]:
    """Why the two may not be comparable at all."""
    found = [
        f"{name} differs: {one.settings.get(name)} and {other.settings.get(name)}"
        for name in sorted({*one.settings, *other.settings} - {"runs", "requests", "slo"})
        if one.settings.get(name) != other.settings.get(name)
    ]
    if one.counted_by != other.counted_by:
        found.append(f"tokens are counted by {one.counted_by} and by {other.counted_by}")
    found += [
        f"{side} at {point.load}: {mark.name}" for side, m in (("A", one), ("B", other)) for point in m.points for mark in point.marks
    ]
    return found


def summary(rows: Sequence[Row]) -> str:
    """The verdict over all rows."""
    better = sum(row.verdict == "B is better" for row in rows)
    worse = sum(row.verdict == "B is worse" for row in rows)
    known = [row for row in rows if row.found]
    if not known:
        return "unknown: the two have no load in common, or too few runs of it"
    if not better and not worse:
        return f"{NONE_SHOWN}: in {len(known)} figures"
    return f"B is better in {better} and worse in {worse} of {len(known)} figures"


def to_json(rows: Sequence[Row], doubts: Sequence[str]) -> dict[str, Any]:
    out = [{**vars(row), "found": row.found._asdict() if row.found else None} for row in rows]
    return {"verdict": summary(rows), "reservations": list(doubts), "rows": out}
