"""All that the rules find in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith_recommend.diagnosis import evaluation, learning_rate, progress, rows
from tunesmith_recommend.diagnosis.finding import Finding
from tunesmith_recommend.diagnosis.training import Training, trainings

if TYPE_CHECKING:
    from tunesmith import RunView

#: Of what is wrong with a course, the first that holds is said: what comes after it follows from it, or is contradicted by it.
_COURSE = (
    learning_rate.diverged, learning_rate.too_high, learning_rate.nothing_learned, learning_rate.too_low, progress.too_few_steps,
    progress.plateau,
)  # fmt: skip
_WHILE = _COURSE[:2]  #: of a training that was stopped: what it would have come to is not known
_BESIDE = (progress.overfit, rows.spikes, rows.cut, rows.without_end)


def findings(view: RunView) -> list[Finding]:
    """In the order of the steps, what is wrong with the whole course of one first."""
    found = [finding for one in trainings(view) for finding in of_training(one)]
    return [*found, *evaluation.within_noise(view), *evaluation.go_on(view)]


def of_training(one: Training) -> list[Finding]:
    course = next((told for rule in (_COURSE if one.ended else _WHILE) if (told := list(rule(one)))), [])
    return [*course, *(finding for rule in _BESIDE for finding in rule(one))]
