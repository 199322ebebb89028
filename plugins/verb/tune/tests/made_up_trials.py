"""A made-up pipeline for searches: how good a trial is follows from its values, at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tunesmith.errors import TunesmithError
from tunesmith_tune.api import Goal, Parameter, Point, Search
from tunesmith_tune.study.loop import TrialOutcome
from tunesmith_tune.study.study import Leg

RATE = Parameter("steps.tune.settings.learning_rate", "log", 1e-5, 1e-2)
RANK = Parameter("steps.tune.adapter.lora.r", "int", 4, 64, step=4)
SEARCH = Search((RATE, RANK), (Goal("score.nll", "lower"),), seed=1, followed=Goal("tune.validation_loss", "lower"))
SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


class Killed(BaseException):
    """Stands for kill -9: nothing of the program runs after it."""


class MadeUpTrials:
    """Trials without runs; each tells its followed metric on its way, as one that goes on from a checkpoint does, too.

    Args:
        dies: after so many things that happen, the program is killed; 0: never.
        fails: whether a trial fails.
    """

    devices = 1

    def __init__(self, dies: int = 0, fails: Callable[[Leg], bool] = lambda leg: False) -> None:
        self.dies, self.fails = dies, fails
        self.begun: list[int] = []
        self.happened = 0

    def run(self, leg: Leg, began: Callable[[str], None], heed: Callable[[Point], bool], stop: threading.Event) -> TrialOutcome:
        self._happens()
        self.begun.append(leg.trial)
        if not leg.run:
            began(f"run-{leg.number}")
        loss = sum((one.share(leg.values[one.name]) - 0.4) ** 2 for one in SEARCH.space)
        for share in SHARES:
            self._happens()
            if stop.is_set() or heed(Point(share, loss + 1 - share)):
                return TrialOutcome("stopped")
        if self.fails(leg):
            return TrialOutcome("failed", error=TunesmithError("TS-TRAIN-001", "the loss is no number"))
        return TrialOutcome("done", (loss,))

    def _happens(self) -> None:
        self.happened += 1
        if self.happened == self.dies:
            raise Killed
