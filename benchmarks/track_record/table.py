"""The table: a line for each run, ratios of measured by predicted."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from cases import Case

from tunesmith_recommend.evidence.correction import correction
from tunesmith_recommend.evidence.entry import Entry

WHATS = ("time", "memory", "disk")


def grade(entry: dict[str, Any], what: str) -> tuple[float, float] | None:
    """Predicted and measured; None where one of them is not known."""
    found = next((one for one in entry["grades"] if one["what"] == what), {})
    return (found["predicted"], found["measured"]) if found.get("predicted") and found.get("measured") else None


def ratios(rows: Sequence[tuple[Case, dict[str, Any]]], what: str) -> list[float]:
    found = (grade(entry, what) for _, entry in rows)
    return [one[1] / one[0] for one in found if one]


def left_out(rows: Sequence[tuple[Case, dict[str, Any]]], what: str) -> list[float]:
    """Each run's ratio, by the factor that a recommendation would have from all the others: the error that is left then."""
    entries = [Entry.from_json(entry) for _, entry in rows]
    found = []
    for one in entries:
        others = [other for other in entries if other is not one]
        factor = correction(
            others, what, verb=one.verb, device=one.device, providers=one.providers, dtype=one.dtype, model_bytes=one.model["bytes"]
        ).factor
        found += [ratio / factor] if (ratio := one.ratio(what)) else []
    return found


def table(rows: Sequence[tuple[Case, dict[str, Any]]]) -> str:
    """Markdown."""
    lines = []
    for what in WHATS:
        own, rest = ratios(rows, what), left_out(rows, what)
        corrected = f"; where each is corrected by the others, by {_off(rest):.0%}" if what != "disk" else ""
        lines.append(
            f"{what.capitalize()} of {len(own)} runs: measured {min(own):.2f} to {max(own):.2f} times what was predicted, median "
            f"{median(own):.2f}; off by {_off(own):.0%} (median){corrected}."
        )
    head = ["| run | seconds a step: predicted | measured | memory, MB: predicted | measured | disk, MB: predicted | measured |"]
    head.append("|---|---|---|---|---|---|---|")
    for case, entry in rows:
        cells = [f"{value:.2f}" for value in grade(entry, "time") or ()] or ["-", "-"]
        for what in ("memory", "disk"):
            cells += [f"{value / 1e6:.{0 if what == 'memory' else 1}f}" for value in grade(entry, what) or ()] or ["-", "-"]
        head.append(f"| {case.name} | {' | '.join(cells)} |")
    return "\n\n".join(lines) + "\n\n" + "\n".join(head)


def _off(own: Sequence[float]) -> float:
    return median(max(ratio, 1 / ratio) - 1 for ratio in own)
