"""What an objective says of its own metrics while training goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.contracts import Step
from tunesmith_torch.api import Objective, Warns


class ObjectiveWarnings:
    """Tells each sentence once in an attempt: what an earlier one told may be lost with it."""

    def __init__(self, step: Step, objective: Objective) -> None:
        self._step, self._objective = step, objective
        self._told: set[str] = set()

    def look(self, history: Sequence[Mapping[str, float]]) -> None:
        """At the metrics of all steps so far."""
        if not isinstance(self._objective, Warns):
            return
        for sentence in self._objective.warnings(history):
            if sentence not in self._told:
                self._told.add(sentence)
                self._step.log(sentence, "warning")
