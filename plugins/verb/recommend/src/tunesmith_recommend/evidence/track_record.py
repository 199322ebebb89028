"""How good the predictions were: the errors of all runs that were graded, by device and kind of step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from tunesmith_recommend.evidence.entry import DISK, MEMORY, QUALITY, TIME, Entry

WHATS = (TIME, MEMORY, DISK, QUALITY)
FEW = 4  # ratios below which there are no quarters to speak of


@dataclass(frozen=True)
class Record:
    """Of one thing that was predicted of one kind of step on one device. Ratios are measured by predicted.

    Args:
        runs: that were graded; `unpredicted`: of which nobody had said it; `unmeasured`: of which it was said and nobody measured it.
        low, high: between which half of the ratios lie; None where they are fewer than four.
        worst: the ratio that is furthest from 1, either way.
    """

    device: str
    step: str
    what: str
    runs: int = 0
    median: float | None = None
    low: float | None = None
    high: float | None = None
    worst: float | None = None
    unpredicted: int = 0
    unmeasured: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def track_record(entries: Iterable[Entry]) -> list[Record]:
    """In the order of devices and kinds of steps; nothing of what was neither predicted nor measured."""
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.device or entry.backend or "unknown", step_kind(entry)].append(entry)
    found = [_record(device, step, what, own) for (device, step), own in sorted(groups.items()) for what in WHATS]
    return [record for record in found if record.runs or record.unpredicted or record.unmeasured]


def step_kind(entry: Entry) -> str:
    """``train sft lora``: the verb, with what it does."""
    own = [
        entry.providers[kind]
        for kind in ("objective", "adapter", "quantizer", "exporter", "evaluator", "inference_backend")
        if kind in entry.providers
    ]
    return " ".join([entry.verb, *own])


def _record(device: str, step: str, what: str, entries: list[Entry]) -> Record:
    grades = [grade for entry in entries for grade in entry.grades if grade.what == what]
    ratios = sorted(grade.ratio for grade in grades if grade.ratio)
    unpredicted = sum(bool(grade.measured) and not grade.predicted for grade in grades)
    unmeasured = sum(bool(grade.predicted) and not grade.measured for grade in grades)
    if not ratios:
        return Record(device, step, what, unpredicted=unpredicted, unmeasured=unmeasured)
    low, high = quantiles(ratios, n=4, method="inclusive")[::2] if len(ratios) >= FEW else (None, None)
    worst = max(ratios, key=lambda ratio: max(ratio, 1 / ratio))
    return Record(device, step, what, len(ratios), median(ratios), low, high, worst, unpredicted, unmeasured)
