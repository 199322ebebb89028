"""A provider whose settings are written as authors write them today, and a step that reports all there is to report: for every Python."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from tunesmith.contracts import Result, setting


@dataclass(frozen=True)
class Shade:
    depth: float | None = setting(None, "how deep")


@dataclass(frozen=True)
class ChoosySettings:
    limit: int | None = setting(None, "none: no limit", ge=1)
    label: str | int = setting("", "a name or a number")
    weights: dict[str, float | None] = setting({}, "by colour")
    colours: list[str] | None = setting(None, "which to take")
    shade: Shade | None = field(default_factory=Shade)


class Choosy:
    def __init__(self, settings: ChoosySettings) -> None:
        self.settings = settings


def report(step) -> Result:
    """Says what it was given; waits to be cancelled if `limit` is its provider's only setting."""
    settings = step.provider("adapter").settings
    step.log(f"limit {settings.limit!r} shade {settings.shade!r}", "warning")
    step.progress(1, 3, what="looking", unit="rows")
    step.metric("depth", settings.shade.depth or 0.5, 7)
    step.decide("look", "it was asked for")
    if settings.limit and not settings.label:
        step.ready(waits=True)
        step.wait_cancelled(60)
        step.check_cancelled()
    (step.output / "seen").write_text(repr(settings), encoding="utf-8")
    return Result(metrics={"weights": float(len(settings.weights))}, meta={"python": list(sys.version_info[:2])})
