"""Whether more trials would help: the gain of the last ones, held against what the held-out rows can tell from chance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tunesmith_tune.api import Trial
from tunesmith_tune.study.row_scores import Interval, RowScores, paired_gain
from tunesmith_tune.study.study import Study


class RowsFile:
    """What each row came to in each trial: a file for a trial, in the search's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "rows"

    def write(self, trial: int, rows: RowScores) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{trial}.json").write_text(json.dumps({"values": rows.values, "weights": rows.weights}))

    def read(self, trial: int) -> RowScores | None:
        path = self.folder / f"{trial}.json"
        if not path.is_file():
            return None
        found: Mapping[str, list[float]] = json.loads(path.read_text())
        return RowScores(tuple(found["values"]), tuple(found["weights"]))


class Patience:
    """Enough, when the last `trials` that came to their end gained nothing that the rows can tell from chance. With several goals: never.

    Args:
        trials: 0: never enough.
    """

    def __init__(self, trials: int) -> None:
        self.trials = trials

    def __call__(self, study: Study) -> str:
        done = self._done(study)
        if not self.trials or len(study.search.goals) > 1 or len(done) <= self.trials:
            return ""
        earlier, newest = best(study, done[: -self.trials]), best(study, done)
        if earlier.number == newest.number:
            return f"the last {self.trials} trials brought nothing better than trial {newest.number + 1}"
        found = self.gain(study, earlier, newest)
        if found is None or found.low > 0:
            return ""
        return (
            f"what the last {self.trials} trials gained can't be told from chance: {found.gain:.3g} a row, 95 % interval "
            f"{found.low:.3g} to {found.high:.3g} over the same rows"
        )

    @staticmethod
    def gain(study: Study, earlier: Trial, newest: Trial) -> Interval | None:
        rows = RowsFile(study.folder)
        before, now = rows.read(study.source(earlier.number)), rows.read(study.source(newest.number))
        goal = study.search.goals[0]
        return paired_gain(before, now, lower_is_better=goal.better == "lower") if before and now else None

    @staticmethod
    def _done(study: Study) -> list[Trial]:
        """In the order in which they were begun, those that are no repetition."""
        return [trial for trial in study.trials() if trial.state == "done" and study.of(trial.number).same_as is None]


def best(study: Study, done: list[Trial]) -> Trial:
    """The best by the first goal; of equals the first."""
    return min(done, key=lambda trial: study.search.goals[0].cost(trial.scores[0]))
