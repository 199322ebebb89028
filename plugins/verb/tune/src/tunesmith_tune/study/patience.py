"""Whether more trials would help: the gain of the last ones, held against what the held-out rows can tell from chance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_cli.api import metric_difference, sample_pairs, write_whole
from tunesmith_tune.api import Trial
from tunesmith_tune.study.study import Study

if TYPE_CHECKING:
    from tunesmith_statistics import Interval

FEWEST = 20  # rows below which nothing is said of their differences
Rows = Sequence[Mapping[str, Any]]


class RowsFile:
    """What each row came to in each trial, in numbers: a file for a trial, in the search's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "rows"

    def write(self, trial: int, samples: Rows) -> None:
        """
        Args:
            samples: what an evaluation says of each of its rows.
        """
        self.folder.mkdir(exist_ok=True)
        write_whole(self.folder / f"{trial}.json", json.dumps([dict(_numbers(sample)) for sample in samples]))

    def read(self, trial: int) -> Rows:
        path = self.folder / f"{trial}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else ()


def _numbers(sample: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Which row it is of, and its numbers."""
    asked = json.dumps([sample["question"], sample.get("expected", "")], sort_keys=True)
    yield "question", hashlib.sha256(asked.encode()).hexdigest()[:16]
    yield from ((name, value) for name, value in sample.items() if isinstance(value, (bool, int, float)))


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
            f"what the last {self.trials} trials gained can't be told from chance: {found.value:.3g}, 95 % interval "
            f"{found.low:.3g} to {found.high:.3g} over the same rows"
        )

    @staticmethod
    def gain(study: Study, earlier: Trial, newest: Trial) -> Interval | None:
        """By how much the newer one is better, by the rows that both were asked; None where these do not tell."""
        rows, goal = RowsFile(study.folder), study.search.goals[0]
        before, now = rows.read(study.source(earlier.number)), rows.read(study.source(newest.number))
        both = sample_pairs(before, now)
        if len(both) < FEWEST:
            return None
        found = metric_difference(goal.name, (earlier.scores[0], newest.scores[0]), both, len(both) == len(before) == len(now))
        if found is None or goal.better == "higher":
            return found
        return type(found)(-found.value, -found.high, -found.low)

    @staticmethod
    def _done(study: Study) -> list[Trial]:
        """In the order in which they were begun, those that are no repetition."""
        return [trial for trial in study.trials() if trial.state == "done" and study.of(trial.number).same_as is None]


def best(study: Study, done: list[Trial]) -> Trial:
    """The best by the first goal; of equals the first."""
    return min(done, key=lambda trial: study.search.goals[0].cost(trial.scores[0]))
