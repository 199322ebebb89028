"""What is known of a search: legs, each a stretch of a trial that runs at once, and the trials that they make up."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_tune.api import Point, Proposal, Search, Trial, Value
from tunesmith_tune.study.journal import SearchJournal


@dataclass
class Leg:
    """One stretch of a trial.

    Args:
        trial: its number.
        until: share of the trial at which it pauses; 1: it goes to the end.
        seen: how many legs the searcher knew the outcome of when it proposed this one.
        state: empty while it has not ended; done, paused, pruned or failed.
        run: the id of the run; empty before it began, and where nothing was run.
        seconds: that it took, those before it was stopped and went on among them; `spent`: that the whole search had taken at its end.
        same_as: number of the trial that has the same values, whose outcome counts.
    """

    number: int
    trial: int
    values: Mapping[str, Value]
    until: float = 1.0
    seen: int = 0
    state: str = ""
    run: str = ""
    points: list[Point] = field(default_factory=list)
    scores: tuple[float, ...] = ()
    error: TunesmithError | None = None
    seconds: float = 0.0
    spent: float = 0.0
    same_as: int | None = None


class Study:
    """A search that is written down. Its methods may be called from any thread.

    Args:
        folder: where its journal lies.
    """

    def __init__(self, search: Search, folder: Path) -> None:
        self.search, self.folder = search, folder
        self.lock = threading.RLock()
        self.legs: list[Leg] = []
        self._journal = SearchJournal(folder)
        for record in self._journal.read():
            self._take(record)
        self.resumed = bool(self.legs)

    def head(self, facts: Mapping[str, Any]) -> None:
        """Write down what is searched, once."""
        if not self._journal.path.exists() or not self._journal.path.stat().st_size:
            self._journal.write({"search": dict(facts)})

    # --- what happens ------------------------------------------------------------------------------------------------------------

    def begin(self, proposal: Proposal, seen: int) -> Leg:
        with self.lock:
            count = len(self.trials())
            number = count if proposal.trial is None else proposal.trial
            values = dict(proposal.values) if proposal.trial is None else dict(self.trials()[number].values)
            self._add({"leg": len(self.legs), "trial": number, "values": values, "until": proposal.until, "seen": seen})
            return self.legs[-1]

    def runs(self, leg: Leg, run: str) -> None:
        self._add({"leg": leg.number, "run": run})

    def measured(self, leg: Leg, point: Point) -> None:
        """A point of the trial's followed metric; one that is known already, as a run that goes on tells it again, changes nothing."""
        with self.lock:
            if all(point.share > known.share for known in self.points(leg)):
                self._add({"leg": leg.number, "point": [point.share, point.value if math.isfinite(point.value) else None]})

    def end(
        self, leg: Leg, state: str, scores: Sequence[float] = (), error: TunesmithError | None = None, seconds: float = 0.0,
        spent: float = 0.0, same_as: int | None = None,
    ) -> None:  # fmt: skip
        self._add({
            "leg": leg.number, "state": state, "scores": list(scores), "error": error.to_json() if error else None,
            "seconds": round(seconds, 3), "spent": round(spent, 3), "same_as": same_as,
        })  # fmt: skip

    def stopped(self, leg: Leg, seconds: float, spent: float) -> None:
        """It was asked to stop, and can go on; what it took counts."""
        self._add({"leg": leg.number, "stopped": round(seconds, 3), "spent": round(spent, 3)})

    def close(self) -> None:
        self._journal.close()

    # --- what is known -----------------------------------------------------------------------------------------------------------

    def points(self, leg: Leg) -> list[Point]:
        """Of its trial, of all legs."""
        return [point for other in self.legs if other.trial == leg.trial for point in other.points]

    def trials(self, seen: int | None = None) -> list[Trial]:
        """The trials by number.

        Args:
            seen: of how many legs the outcome is known; of the others, that they run. Default: all as it is.
        """
        with self.lock:
            found: dict[int, Trial] = {}
            for leg in self.legs:
                trial = found.get(leg.trial) or Trial(leg.trial, leg.values, "running")
                known = seen is None or leg.number < seen
                points = (*trial.points, *leg.points) if known else trial.points
                state = (leg.state or "running") if known else "running"
                found[leg.trial] = replace(trial, state=state, points=points, scores=leg.scores if known else ())  # type: ignore[arg-type]
            return [found[number] for number in sorted(found)]

    def ended(self) -> int:
        """How many legs from the first on have ended."""
        return next((leg.number for leg in self.legs if not leg.state), len(self.legs))

    def of(self, trial: int) -> Leg:
        """The newest leg of a trial."""
        return next(leg for leg in reversed(self.legs) if leg.trial == trial)

    def source(self, trial: int) -> int:
        """The trial that was run for a trial: itself, or the one with the same values."""
        leg = self.of(trial)
        return trial if leg.same_as is None else self.source(leg.same_as)

    @property
    def spent(self) -> float:
        """Seconds that the search had taken when a leg last ended, or was stopped."""
        return max((leg.spent for leg in self.legs), default=0.0)

    # --- the journal -------------------------------------------------------------------------------------------------------------

    def _add(self, record: dict[str, Any]) -> None:
        with self.lock:
            self._journal.write(record)
            self._take(record)

    def _take(self, record: Mapping[str, Any]) -> None:
        if "leg" not in record:
            return
        if "values" in record:
            self.legs.append(Leg(record["leg"], record["trial"], record["values"], record["until"], record["seen"]))
            return
        leg = self.legs[record["leg"]]
        if "run" in record:
            leg.run = record["run"]
        elif "stopped" in record:
            leg.seconds, leg.spent = leg.seconds + record["stopped"], record["spent"]
        elif "point" in record:
            share, value = record["point"]
            leg.points.append(Point(share, math.nan if value is None else value))
        else:
            leg.state, leg.scores = record["state"], tuple(record["scores"])
            leg.error = TunesmithError.from_json(record["error"]) if record["error"] else None
            leg.seconds, leg.spent, leg.same_as = leg.seconds + record["seconds"], record["spent"], record["same_as"]
