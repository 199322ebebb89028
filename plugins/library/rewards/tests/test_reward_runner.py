"""The runner, with real processes: what goes wrong in one row stays there, is told, and stops the run beyond a share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tunesmith.errors import TunesmithError
from tunesmith_rewards.api import RewardRunner, RewardSpec, junk


@pytest.fixture(autouse=True)
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def spec(cls: str = "Odd", name: str = "odd", **further) -> RewardSpec:
    return RewardSpec(name, f"odd_rewards:{cls}", **further)


def scored(runner: RewardRunner, *completions: str, rows=None):
    return runner.score(["p"] * len(completions), completions, rows or [{}] * len(completions))


@pytest.mark.parametrize("cls", ["Odd", "Batched"])
def test_what_goes_wrong_in_a_row_is_told_of_that_row_and_the_others_are_scored(cls: str):
    told: list[str] = []
    completions = ("a", "raise", "none", "hang", "ab", "nan", "die", "abc", "text")
    with RewardRunner([spec(cls)], timeout=0.5, max_failed_share=1, log=told.append) as runner:
        scores = scored(runner, *completions)
        tally = runner.tallies["odd"]
    assert [score.total for score in scores] == [1, None, None, None, 2, None, None, 3, None]
    assert scores[2].unscored == ("odd",)
    assert not scores[2].failed
    why = [score.failed.get("odd", "") for score in scores]
    for place, words in ((1, "I will not"), (3, "no answer within 0.5 s"), (5, "nan"), (6, "killed by signal 9"), (8, "'0.5'")):
        assert words in why[place]
    assert (tally.asked, tally.unscored, tally.failed) == (9, 1, 5)
    assert len(told) == 3
    assert "the answer 'raise' to " in told[0]


def test_a_batch_of_the_wrong_length_is_asked_one_by_one():
    with RewardRunner([spec("Batched")]) as runner:
        assert [score.total for score in scored(runner, "a", "short", "ab")] == [1, 5, 2]


def test_several_rewards_are_added_by_weight_for_the_rows_that_are_theirs():
    rewards = [spec(weight=2.0), spec(name="looked-at", weight=0.0), spec(name="math", only={"task": "math"})]
    rows = [{"task": "math"}, {"task": "code"}, {"task": "code"}]
    with RewardRunner(rewards, num_workers=2, batch_size=1) as runner:
        scores = scored(runner, "a", "ab", "none", rows=rows)
        assert [score.total for score in scores] == [3, 4, None]
        assert scores[0].parts == {"odd": 1, "looked-at": 1, "math": 1}
        assert "math" not in scores[1].parts
        assert [probe.name for probe in junk(runner, ["p"], rows[:1], [["a", "ab"]])] == ["empty", "longest", "repeated", "prompt"]
        empty, longest, repeated, prompt = junk(runner, ["p"], rows[:1], [["a", "ab"]])
        assert (empty.total, empty.wins, longest.wins, repeated.wins, prompt.wins) == (0, 0, 1, 1, 0)
        assert runner.tallies["odd"].asked == 3  # probes are not counted


def test_too_many_failures_stop_the_run_with_the_rows():
    with RewardRunner([spec()], max_failed_share=0.1) as runner, pytest.raises(TunesmithError, match="TS-REWARD-001") as caught:
        scored(runner, *["raise"] * 3, "a")
    assert "the answer 'raise' to " in caught.value.why
    assert caught.value.facts["failed"] == 3


def test_a_reward_that_cannot_be_made_is_known_at_the_start():
    with RewardRunner([spec("Unmade")]) as runner, pytest.raises(TunesmithError, match="TS-REWARD-003") as caught:
        runner.start()
    assert "no model there" in caught.value.why


def test_a_worker_that_was_killed_is_replaced_and_all_are_gone_at_the_end():
    with RewardRunner([spec()]) as runner:
        runner.start()
        (worker,) = runner._workers[0]._all
        os.kill(worker._process.pid, signal.SIGKILL)
        assert [score.total for score in scored(runner, "a", "ab")] == [1, 2]
        (worker,) = runner._workers[0]._all
        pending = runner.submit(["p"], ["hang"], [{}])
        assert not pending.done()
    assert worker._process.returncode is not None
    with pytest.raises(TunesmithError, match="TS-REWARD-006"):
        pending.result()


def test_lists_of_different_lengths_are_refused():
    with RewardRunner([spec()]) as runner, pytest.raises(TunesmithError, match="TS-REWARD-006"):
        runner.score(["p"], ["a", "b"], [{}])
