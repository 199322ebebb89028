"""The loop of a search: asks, runs, writes down, until it is enough."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import NamedTuple, Protocol

from tunesmith.errors import TunesmithError
from tunesmith_tune.api import Point, Proposal, Prunes, Searcher
from tunesmith_tune.budget import Budget
from tunesmith_tune.study.study import Leg, Study

REPEATS = 50  # proposals one after the other of what was tried before, after which nothing new is expected
POLL = 0.2  # seconds between two looks at the clock
FIRST = 3  # trials that fail one after the other from the first on, after which it is the pipeline and not the values


class TrialOutcome(NamedTuple):
    """What came of a leg.

    Args:
        state: done, failed, or stopped: it was asked to end and can go on.
    """

    state: str
    scores: tuple[float, ...] = ()
    error: TunesmithError | None = None


class Trials(Protocol):
    """Carries trials out."""

    devices: int  #: that one trial uses

    def run(self, leg: Leg, began: Callable[[str], None], heed: Callable[[Point], bool], stop: threading.Event) -> TrialOutcome:
        """Carry a leg out, from where its trial was left.

        Args:
            began: told the id of the run.
            heed: told each point of the followed metric, those from before again; true: it shall end now, and may go on later.
            stop: set when it shall end now.
        """


class SearchLoop:
    """
    Args:
        tell: told of each leg that begins and that ends.
        enough: asked after each trial that is done: why the search may end, or empty.
        clock: seconds.
    """

    def __init__(
        self, study: Study, searcher: Searcher, trials: Trials, budget: Budget, parallel: int = 1,
        tell: Callable[[Leg], None] = lambda leg: None, enough: Callable[[Study], str] = lambda study: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.study, self.searcher, self.trials, self.budget, self.parallel = study, searcher, trials, budget, parallel
        self.tell, self.enough, self.clock = tell, enough, clock
        self.stop, self.reason = threading.Event(), ""
        self._began, self._before = clock(), study.spent
        self._asked = (0, 0)  # leg to come, and with how many known outcomes it is asked for next
        self._running: dict[Future[TrialOutcome], tuple[Leg, float]] = {}
        self._said: dict[int, str] = {}  # leg -> why it was asked to end

    @property
    def spent(self) -> float:
        """Seconds, with those of earlier sessions."""
        return self._before + self.clock() - self._began

    def cancel(self) -> None:
        """Stop as soon as possible; from any thread or a signal handler."""
        self.reason = self.reason or "it was asked to stop"
        self.stop.set()

    def run(self) -> str:
        """Search until it is over, and say why it is.

        Raises:
            TunesmithError: TS-TUNE-006 when the first trials fail all.
        """
        waiting = [leg for leg in self.study.legs if not leg.state]
        with ThreadPoolExecutor(self.parallel, thread_name_prefix="trial") as pool:
            try:
                while True:
                    self._look_at_the_clock()
                    while not self.stop.is_set() and len(self._running) < self.parallel:
                        leg = waiting.pop(0) if waiting else None if self.reason else self._next()
                        if leg is None:
                            break
                        if not self._known_already(leg):
                            self._start(leg, pool)
                    if not self._running:
                        return self.reason
                    for future in wait(self._running, POLL, FIRST_COMPLETED).done:
                        self._ended(*self._running.pop(future), future.result())
            finally:
                self.stop.set()

    # --- proposals ---------------------------------------------------------------------------------------------------------------

    def _next(self) -> Leg | None:
        """What to begin now; None where something has to end before, or the search is over."""
        number, over = len(self.study.legs), self.study.ended()
        first = max(0, number - self.parallel + 1)
        seen = max(first, self._asked[1] if self._asked[0] == number else 0)
        while seen <= min(over, number):
            proposal = self.searcher.propose(self.study.search, self.study.trials(seen))
            if proposal is not None:
                return self._begin(proposal, seen)
            seen += 1
        self._asked = (number, seen)
        if seen > number:
            self.reason = "the searcher has nothing more to try"
        return None

    def _begin(self, proposal: Proposal, seen: int) -> Leg | None:
        count = len(self.study.trials())
        if proposal.trial is None and self.budget.trials and count >= self.budget.trials:
            self.reason = f"the budget of {self.budget.trials} trials is spent"
            return None
        if proposal.trial is None and count >= REPEATS and all(leg.same_as is not None for leg in self.study.legs[-REPEATS:]):
            self.reason = f"the last {REPEATS} proposals had been tried before"
            return None
        return self.study.begin(proposal, seen)

    def _known_already(self, leg: Leg) -> bool:
        """Take over what came of an earlier trial with the same values: what failed fails again, what is done is in the cache."""
        if leg.points or leg.run:
            return False
        for trial in self.study.trials()[: leg.trial]:
            if trial.values == leg.values and trial.state in ("done", "failed"):
                earlier = self.study.of(trial.number)
                self.study.end(leg, trial.state, trial.scores, earlier.error, 0.0, self.spent, trial.number)
                self.tell(leg)
                return True
        return False

    # --- runs --------------------------------------------------------------------------------------------------------------------

    def _start(self, leg: Leg, pool: ThreadPoolExecutor) -> None:
        self.tell(leg)
        since = self.clock()
        future = pool.submit(
            self.trials.run, leg, lambda run: self.study.runs(leg, run), lambda point: self._heed(leg, point), self.stop
        )  # fmt: skip
        self._running[future] = (leg, since)

    def _heed(self, leg: Leg, point: Point) -> bool:
        """Whether a leg shall end at a point."""
        self.study.measured(leg, point)
        if leg.number not in self._said and point.share < 1:
            if leg.until < 1:
                if point.share >= leg.until - 1e-9:
                    self._said[leg.number] = "paused"
            elif isinstance(self.searcher, Prunes):
                known = [trial for trial in self.study.trials(leg.seen) if trial.number < leg.trial]
                points = tuple(one for one in self.study.points(leg) if one.share <= point.share)
                trial = self.study.trials()[leg.trial]
                if self.searcher.prune(self.study.search, known, replace(trial, state="running", points=points)):
                    self._said[leg.number] = "pruned"
        return leg.number in self._said

    def _ended(self, leg: Leg, since: float, outcome: TrialOutcome) -> None:
        seconds = self.clock() - since
        if outcome.state == "stopped" and leg.number not in self._said:  # it goes on when the search does
            self.study.stopped(leg, seconds, self.spent)
            return
        state = self._said.get(leg.number) or outcome.state
        done = state == "done"
        self.study.end(leg, state, outcome.scores if done else (), outcome.error if state == "failed" else None, seconds, self.spent)
        self.tell(leg)
        self._mind_failures()
        if done and not self.reason:
            self.reason = self.enough(self.study)

    def _mind_failures(self) -> None:
        legs = self.study.legs
        failed = [leg for leg in legs if leg.state == "failed" and leg.same_as is None]
        if len(failed) >= FIRST and len(failed) == len([leg for leg in legs if leg.state and leg.same_as is None]):
            self.stop.set()
            error = failed[0].error
            raise TunesmithError(
                "TS-TUNE-006", f"the first {len(failed)} trials have all failed",
                why=f"The first one: {error.what if error else 'no reason'}",
                fix=(error.fix if error else "") or "`tunesmith run` the pipeline by itself until it works, then search.",
            )  # fmt: skip

    def _look_at_the_clock(self) -> None:
        running = sum(self.clock() - since for _, since in self._running.values())
        devices = self.trials.devices * (sum(leg.seconds for leg in self.study.legs) + running)
        if not self.stop.is_set() and (over := self.budget.over(self.spent, devices)):
            self.reason = over
            self.stop.set()
