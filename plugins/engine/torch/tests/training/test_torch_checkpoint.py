"""Checkpoints at bounded cost: they are made less often where they would take more than their share of the time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tunesmith.contracts import Placement
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.checkpoint import schedule
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.report.progress import Progress
from tunesmith_torch.training.report.sample_ledger import SampleLedger


class Run:
    """Steps of `seconds`, checkpoints of `cost`, on a clock of its own."""

    def __init__(self, directory, monkeypatch, cost: float, **settings) -> None:
        self.clock, self.cost, self.made, self.told = 0.0, cost, 0, []
        monkeypatch.setattr(schedule, "time", SimpleNamespace(monotonic=lambda: self.clock))
        step = SimpleNamespace(work=directory, log=print, placement=Placement(), decide=lambda *said: self.told.append(said))
        training, adapter_callback = SimpleNamespace(save_state=self.save_state), SimpleNamespace(state=dict)
        ranks, ledger = Ranks(Placement(), None), SampleLedger(directory, writes=True)
        self.schedule = schedule.CheckpointSchedule(
            step, TrainSettings(**settings), training, adapter_callback, {}, ranks, {"samples": ledger}
        )

    def save_state(self, directory):
        self.clock += self.cost
        self.made += 1

    def go(self, steps: int, seconds: float) -> None:
        progress = Progress()
        for _ in range(steps):
            self.clock += seconds
            progress.steps += 1
            if self.schedule.due(progress):
                self.schedule.save(progress)


@pytest.mark.parametrize("settings", [{"save_steps": 1}, {"save_steps": 0, "save_seconds": 5.0}], ids=str)
def test_checkpoints_that_cost_much_are_made_less_often_and_it_is_said_once(tmp_path, monkeypatch, settings):
    run = Run(tmp_path, monkeypatch, cost=10.0, **settings)
    run.go(2000, seconds=5.0)
    assert run.made * 10.0 <= 0.05 * run.clock + 10.0
    assert run.made * 10.0 >= 0.04 * run.clock
    assert run.told == [
        ("a checkpoint every 200 s at most", "one takes 10.0 s, and they may take 5% of the time (setting `save_time_share`)")
    ]


def test_checkpoints_that_cost_little_are_made_as_often_as_asked_for(tmp_path, monkeypatch):
    run = Run(tmp_path, monkeypatch, cost=0.1, save_steps=10)
    run.go(200, seconds=5.0)
    assert (run.made, run.told) == (20, [])


def test_the_share_is_the_users_to_set(tmp_path, monkeypatch):
    run = Run(tmp_path, monkeypatch, cost=10.0, save_steps=1, save_time_share=1.0)
    run.go(20, seconds=5.0)
    assert run.made == 20
