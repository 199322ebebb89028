"""What became of samples: how many were scored, and what the log says of those that were not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import Step
from tunesmith_statistics import Counts

SHOWN = 5  # failures that the log tells


def counted(samples: Sequence[Mapping[str, Any]]) -> Counts:
    reasons = [sample.get("not_scored", "scored") for sample in samples]
    return Counts(**{name: reasons.count(name) for name in ("scored", "failed", "truncated", "unparsed")})


def tell_missing(samples: Sequence[Mapping[str, Any]], step: Step) -> None:
    """A warning where some have no score, with the first failures' reasons."""
    counts = counted(samples)
    if counts.scored == counts.all:
        return
    step.log(
        f"{counts.all - counts.scored} of {counts.all} questions have no score: {counts.failed} failed, {counts.truncated} truncated, "
        f"{counts.unparsed} unparsed",
        "warning",
    )
    for sample in [sample for sample in samples if sample.get("why")][:SHOWN]:
        step.log(f"failed: {sample['question']!r:.60}: {sample['why']}")
