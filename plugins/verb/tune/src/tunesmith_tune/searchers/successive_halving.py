"""Successive halving (K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016).

n trials go a small part of the way; the best 1 in eta of them go on from their checkpoints, eta times as far; and so on, until one or a few
reach the end. Then n others begin. With eta = 3 and n = 9: nine go a ninth of the way, three a third, one all of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tunesmith_tune.api import Proposal, Search, Trial
from tunesmith_tune.searchers.random_search import drawn
from tunesmith_tune.searchers.settings import HalvingSettings


class SuccessiveHalving:
    def __init__(self, settings: HalvingSettings) -> None:
        self.settings = settings

    def propose(self, search: Search, history: Sequence[Trial]) -> Proposal | None:
        shares = self._shares() if search.followed else [1.0]  # with nothing to compare them by, all go to the end
        begun = len(history) % self.settings.trials
        group = list(history[len(history) - begun if begun else -self.settings.trials :])
        if begun or not history:
            return Proposal(drawn(search, len(history)), until=shares[0])
        for stage, until in enumerate(shares[1:], 1):
            if any(trial.state == "running" and self._reached(trial) < shares[stage - 1] for trial in group):
                return None
            going = self._best(search, group, shares[stage - 1], max(1, self.settings.trials // self.settings.reduction_factor**stage))
            for trial in going:
                if trial.state == "paused" and self._reached(trial) < until:
                    return Proposal(trial=trial.number, until=until)
            if any(trial.state == "running" for trial in going):
                return None
        return Proposal(drawn(search, len(history)), until=shares[0])

    def _shares(self) -> list[float]:
        """How far trials go at each stage, the last of them to the end."""
        factor = self.settings.reduction_factor
        stages = int(math.log(self.settings.trials, factor) + 1e-9)
        return [float(factor) ** -(stages - stage) for stage in range(stages + 1)]

    @staticmethod
    def _reached(trial: Trial) -> float:
        return trial.points[-1].share if trial.points else 0.0

    def _best(self, search: Search, group: Sequence[Trial], share: float, count: int) -> list[Trial]:
        """Those that go on: the best at a share among those that came so far, whatever became of them later."""
        assert search.followed
        found = []
        for trial in group:
            point = next((point for point in trial.points if point.share >= share - 1e-9), None)
            if point is not None and math.isfinite(point.value):
                found.append((search.followed.cost(point.value), trial.number, trial))
        return [trial for *_, trial in sorted(found, key=lambda one: one[:2])[:count]]
