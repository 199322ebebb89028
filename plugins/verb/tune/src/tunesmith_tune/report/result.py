"""The result of a search, from its journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith_tune.api import Search, Trial
from tunesmith_tune.report.importance import importance
from tunesmith_tune.study.patience import best
from tunesmith_tune.study.study import Leg, Study


@dataclass
class SearchResult:
    """
    Args:
        best: by the first goal; None where no trial came to its end.
        front: those that no other beats in all goals, the best first.
        reason: why the search has ended.
        spent: seconds, over all sessions.
        pipeline: file of the best pipeline, once it is written.
    """

    search: Search
    searcher: str
    trials: list[Trial]
    legs: list[Leg]
    reason: str
    spent: float
    folder: Path
    best: Trial | None = None
    front: list[Trial] = field(default_factory=list)
    importance: dict[str, float] = field(default_factory=dict)
    pipeline: Path | None = None

    def seconds(self, trial: int) -> float:
        return sum(leg.seconds for leg in self.legs if leg.trial == trial)

    def last(self, trial: int) -> Leg:
        """The newest leg of a trial."""
        return next(leg for leg in reversed(self.legs) if leg.trial == trial)

    def to_json(self) -> dict[str, Any]:
        return {
            "searcher": self.searcher, "seed": self.search.seed, "goals": [{"name": g.name, "better": g.better} for g in self.search.goals],
            "reason": self.reason, "seconds": round(self.spent, 1), "best": self.best.number if self.best else None,
            "front": [trial.number for trial in self.front], "importance": self.importance,
            "pipeline": str(self.pipeline) if self.pipeline else None, "trials": [self._trial(trial) for trial in self.trials],
        }  # fmt: skip

    def _trial(self, trial: Trial) -> dict[str, Any]:
        leg = self.last(trial.number)
        return {
            "number": trial.number, "state": trial.state, "values": dict(trial.values), "scores": list(trial.scores),
            "points": [[point.share, point.value] for point in trial.points], "seconds": round(self.seconds(trial.number), 2),
            "run": leg.run, "same_as": leg.same_as, "error": leg.error.to_json() if leg.error else None,
        }  # fmt: skip


def search_result(study: Study, reason: str, searcher: str) -> SearchResult:
    trials = study.trials()
    done = [trial for trial in trials if trial.state == "done"]
    own = [trial for trial in done if study.of(trial.number).same_as is None]
    found = SearchResult(study.search, searcher, trials, study.legs, reason, study.spent, study.folder)
    if own:
        found.best, found.front = best(study, own), front(study.search, own)
        found.importance = importance(study.search, own)
    return found


def front(search: Search, done: Sequence[Trial]) -> list[Trial]:
    """The trials that none is better than in one goal without being worse in another, by the first goal."""
    costs = {trial.number: [goal.cost(score) for goal, score in zip(search.goals, trial.scores, strict=True)] for trial in done}

    def beaten(mine: list[float]) -> bool:
        return any(all(a <= b for a, b in zip(other, mine, strict=True)) and other != mine for other in costs.values())

    return sorted((trial for trial in done if not beaten(costs[trial.number])), key=lambda trial: costs[trial.number])
