"""Scores completions with several rewards, beside the training: each in processes of its own, in batches, with a time limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any

from tunesmith.errors import TunesmithError, UserError
from tunesmith_rewards.api.score import Score, Tally
from tunesmith_rewards.api.specification import RewardSpec
from tunesmith_rewards.runner.reward_workers import RewardWorkers

Rows = Sequence[Mapping[str, Any]]
Parts = list[tuple[float | None, str]]  # of a reward: value and failure, by row


class PendingScores:
    """Scores that are being made."""

    def __init__(self, rewards: Sequence[RewardSpec], rows: Rows, parts: Sequence[tuple[list[int], Parts, list[Future[None]]]]) -> None:
        self._rewards, self._rows, self._parts = rewards, rows, parts

    def done(self) -> bool:
        return all(future.done() for _, _, futures in self._parts for future in futures)

    def result(self) -> list[Score]:
        """A `Score` per row, in the rows' order. Waits for them.

        Raises:
            TunesmithError: TS-REWARD-001 when a reward has failed too often; TS-REWARD-003 when one can't be made (again).
        """
        try:
            for future in (future for _, _, found in self._parts for future in found):
                future.result()  # in the order of rewards and rows, so that of several errors the same one is told
        except CancelledError as error:
            raise TunesmithError("TS-REWARD-006", "the rewards were ended while they were asked") from error
        scores: list[Score] = []
        found = [dict(zip(places, parts, strict=True)) for places, parts, _ in self._parts]
        for place in range(len(self._rows)):
            mine = [(reward, said[place]) for reward, said in zip(self._rewards, found, strict=True) if place in said]
            missing = not mine or any(value is None and reward.weight for reward, (value, _) in mine)
            total = None if missing else sum(reward.weight * value for reward, (value, _) in mine if value is not None)
            parts = {reward.name: value for reward, (value, _) in mine}
            scores.append(Score(total, parts, {reward.name: why for reward, (_, why) in mine if why}))
        return scores


class RewardRunner:
    """Scores completions. A context manager: its processes end with it.

    A completion whose reward raises, gives NaN or text, does not answer in time or takes its process down has *failed* for that reward: the
    row is marked, its total is None, and the others go on. Where a batch fails as a whole, its rows are asked about one by one, so that the
    one that is to blame is known. The same arguments give the same scores in the same order, however many processes there are.

    Args:
        rewards: as `read_rewards` gives them.
        timeout: seconds that a reward may take for a completion, or for a batch where it takes several at once.
        batch_size: completions that a process is given at once.
        num_workers: processes of each reward.
        max_failed_share: of a reward's latest 200 calls, the share that may fail (of 20 where there were fewer); beyond it scoring stops
            with TS-REWARD-001. 1: never.
        log: told of the first failures of each reward, a sentence at a time.

    Raises:
        UserError: TS-REWARD-002 for numbers out of range.
    """

    def __init__(
        self, rewards: Sequence[RewardSpec], *, timeout: float = 30.0, batch_size: int = 16, num_workers: int = 1,
        max_failed_share: float = 0.1, log: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        if not (rewards and timeout > 0 and batch_size > 0 and num_workers > 0 and 0 <= max_failed_share <= 1):
            given = f"{timeout=}, {batch_size=}, {num_workers=}, {max_failed_share=}"
            fix = "Give at least one reward, numbers above 0, and a share from 0 to 1."
            raise UserError("TS-REWARD-002", f"{len(rewards)} rewards can't be run with {given}", fix=fix)
        self.rewards = tuple(rewards)
        self._batch_size = batch_size
        self._workers = [RewardWorkers(one, timeout, num_workers, max_failed_share, log) for one in self.rewards]

    def __enter__(self) -> RewardRunner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Makes each reward in a process, so that one that can't be made is known before anything is sampled. `submit` does so, too.

        Raises:
            TunesmithError: TS-REWARD-003, or what the reward itself says.
        """
        starting = [workers.start() for workers in self._workers]
        for future in starting:
            future.result()

    def submit(self, prompts: Sequence[str], completions: Sequence[str], rows: Rows, *, counted: bool = True) -> PendingScores:
        """Begins to score, and returns at once.

        Args:
            prompts, completions, rows: as many of each, one after the other those of a row; see `Reward.score`. Rows are of JSON values.
            counted: whether failures count towards `max_failed_share` and in `tallies`.

        Raises:
            TunesmithError: TS-REWARD-006 when they are not as many, or when the runner is closed.
        """
        if not len(prompts) == len(completions) == len(rows):
            what = f"{len(prompts)} prompts, {len(completions)} completions and {len(rows)} rows can't be scored together"
            raise TunesmithError("TS-REWARD-006", what, fix="Give one of each for every completion.")
        parts: list[tuple[list[int], Parts, list[Future[None]]]] = []
        for reward, workers in zip(self.rewards, self._workers, strict=True):
            places = [place for place, row in enumerate(rows) if reward.takes(row)]
            said: Parts = [(None, "it was not asked")] * len(places)
            futures = []
            for first in range(0, len(places), self._batch_size):
                chunk = places[first : first + self._batch_size]
                asked = [(place, prompts[place], completions[place], rows[place]) for place in chunk]
                futures.append(workers.submit(asked, said, first, counted))
            parts.append((places, said, futures))
        return PendingScores(self.rewards, rows, parts)

    def score(self, prompts: Sequence[str], completions: Sequence[str], rows: Rows, *, counted: bool = True) -> list[Score]:
        """`submit`, and its result."""
        return self.submit(prompts, completions, rows, counted=counted).result()

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """What each reward has done so far, by its name."""
        return {reward.name: workers.tally for reward, workers in zip(self.rewards, self._workers, strict=True)}

    def close(self) -> None:
        """Ends all processes, whatever they are doing. What was submitted and is not done is cancelled."""
        for workers in self._workers:
            workers.close()
