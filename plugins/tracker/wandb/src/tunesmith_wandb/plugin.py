"""The hooks. The package is imported when a step has measured something, not before."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tunesmith.contracts import MetricPoint, StepFacts, TunesmithError
from tunesmith.hookspecs import hookimpl

if TYPE_CHECKING:
    from tunesmith_wandb.tracked import Tracked

VARIABLE = "TUNESMITH_WANDB"

_open: dict[tuple[str, str], Tracked] = {}  # by run and step
_unreachable: set[str] = set()  # runs for which it has failed once: asking again and again would hold them up


@hookimpl
def metrics_reported(step: StepFacts, points: Sequence[MetricPoint]) -> None:
    _tell(step, lambda: _tracked(step).add(points))


@hookimpl
def step_finished(step: StepFacts) -> None:
    if step.metrics:
        _tell(step, lambda: _tracked(step).add_final(step.metrics))
    _end(step, well=True)


@hookimpl
def step_failed(step: StepFacts, error: TunesmithError) -> None:
    """Gives no remedy: others are asked."""
    _end(step, well=False)


def _end(step: StepFacts, well: bool) -> None:
    if tracked := _open.pop((step.run.id, step.name), None):
        _tell(step, lambda: tracked.end(well))


def _tell(step: StepFacts, do: Callable[[], None]) -> None:
    if step.run.id in _unreachable or os.environ.get(VARIABLE) == "off":
        return
    try:
        do()
    except Exception:
        _unreachable.add(step.run.id)
        _open.pop((step.run.id, step.name), None)
        raise


def _tracked(step: StepFacts) -> Tracked:
    key = step.run.id, step.name
    if key not in _open:
        from tunesmith_wandb.tracked import Tracked

        _open[key] = Tracked(step)
    return _open[key]
