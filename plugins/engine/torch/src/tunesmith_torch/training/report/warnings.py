"""What is said of the metrics while training goes on: that nothing is learned, and what the objective says of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tunesmith.contracts import Step
from tunesmith_torch.api import Objective, Warns

FIRST = 3  #: steps, or all of a shorter training, that are looked at for whether anything is learned


class MetricWarnings:
    """Tells each sentence once in an attempt: what an earlier one told may be lost with it.

    Args:
        total: optimizer steps that there will be.
    """

    def __init__(self, step: Step, objective: Objective, total: int) -> None:
        self._step, self._objective, self._first = step, objective, min(FIRST, total)
        self._told: set[str] = set()

    def look(self, history: Sequence[Mapping[str, float]]) -> None:
        """At the metrics of all steps so far."""
        for sentence in (*self._nothing_learned(history), *self._of_objective(history)):
            if sentence not in self._told:
                self._told.add(sentence)
                self._step.log(sentence, "warning")

    def _nothing_learned(self, history: Sequence[Mapping[str, float]]) -> Iterator[str]:
        first = history[: self._first]
        if len(first) < self._first:
            return
        if all(point["loss"] == 0 for point in first):
            yield (
                f"the loss is exactly 0 {self._since}: there is nothing to learn (a batch of one text that has none to be told from, a "
                "teacher that is the model itself, answers that are right already)"
            )
        elif all(point["grad_norm"] == 0 for point in first):
            yield f"the gradient is exactly 0 {self._since}: nothing that the loss depends on is trained"

    @property
    def _since(self) -> str:
        return f"in the first {self._first} steps" if self._first > 1 else "in the first step"

    def _of_objective(self, history: Sequence[Mapping[str, float]]) -> Sequence[str]:
        return self._objective.warnings(history) if isinstance(self._objective, Warns) else ()
