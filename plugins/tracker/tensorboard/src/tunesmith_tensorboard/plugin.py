"""The hooks. TensorBoard is imported when a step has measured something, not before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith.contracts import MetricPoint, StepFacts, TunesmithError
from tunesmith.hookspecs import hookimpl
from tunesmith_tensorboard.places import place

if TYPE_CHECKING:
    from tunesmith_tensorboard.board import Board

_open: dict[tuple[str, str], Board] = {}  # by run and step


@hookimpl
def metrics_reported(step: StepFacts, points: Sequence[MetricPoint]) -> None:
    if board := _board(step, min(point.at for point in points)):
        board.add(points)


@hookimpl
def step_finished(step: StepFacts) -> None:
    if step.metrics and (board := _board(step, 0)):
        board.add_final(step.metrics)
    _close(step, well=True)


@hookimpl
def step_failed(step: StepFacts, error: TunesmithError) -> None:
    """Gives no remedy: others are asked."""
    _close(step, well=False)


def _board(step: StepFacts, begin: int) -> Board | None:
    """The step's open event file, a new one if it has none; `begin`: the first place that is written."""
    directory = place(step)
    if directory is None:
        return None
    key = step.run.id, step.name
    if key not in _open:
        from tunesmith_tensorboard.board import Board

        _open[key] = Board(directory, f"{step.run.id}/{step.name}", step.parameters(), begin)
    return _open[key]


def _close(step: StepFacts, well: bool) -> None:
    if board := _open.pop((step.run.id, step.name), None):
        board.close(well)
