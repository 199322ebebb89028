"""The collection that is written ahead: by the model as it was when it began to learn from the one before, and scored while it does.

Its completions lie in a ledger of their own, without scores, which checkpoints know as they do that of rollouts: the model that wrote them
is gone when a run goes on. Scores are made again then: the same completions have the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tunesmith_torch.api import Rollout, Score
from tunesmith_torch.training.experience.rollout_ledger import RolloutLedger

_LINES = "rollouts_ahead.jsonl"  # in the work directory
Groups = Mapping[int, list[Rollout]]  # of prompts, by their place in the collection


class Ahead:
    """Of one step; of each rank its share.

    Args:
        score: of the objective.
        writes: whether this rank writes the ledger.
    """

    def __init__(self, directory: Path, score: Callable[[Sequence[Rollout]], Sequence[Score]], *, writes: bool) -> None:
        self.ledger = RolloutLedger(directory, writes=writes, name=_LINES)
        self._score, self._thread = score, ThreadPoolExecutor(1, "scoring")
        self._scores: Future[tuple[Sequence[Score], float]] | None = None
        self._groups: Groups = {}

    @property
    def begun(self) -> bool:
        return self._scores is not None

    def begin(self, groups: Groups) -> None:
        """Has them scored, and returns at once."""
        self._groups, self._scores = groups, self._thread.submit(self._scored, [one for group in groups.values() for one in group])

    def take(self) -> tuple[Groups, Sequence[Score], float]:
        """What was begun, its scores in the same order, and the seconds that they took. Waits for them.

        Raises:
            TunesmithError: what `score` raised.
        """
        assert self._scores is not None
        scores, seconds = self._scores.result()
        self._scores = None
        return self._groups, scores, seconds

    def _scored(self, rollouts: Sequence[Rollout]) -> tuple[Sequence[Score], float]:
        started = time.monotonic()
        scores = self._score(rollouts) if rollouts else []
        return scores, time.monotonic() - started
