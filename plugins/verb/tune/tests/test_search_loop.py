"""The loop of a search: the same trials whatever happens to it, and none twice."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.errors import TunesmithError
from tunesmith_tune.api import Goal, Parameter, Point, Proposal, Search
from tunesmith_tune.budget import Budget
from tunesmith_tune.searchers.grid_search import GridSearch
from tunesmith_tune.searchers.random_search import RandomSearch
from tunesmith_tune.searchers.settings import GridSettings, HalvingSettings
from tunesmith_tune.searchers.successive_halving import SuccessiveHalving
from tunesmith_tune.study.journal import FILE
from tunesmith_tune.study.loop import SearchLoop, TrialOutcome
from tunesmith_tune.study.study import Study

from .made_up_trials import SEARCH, Killed, MadeUpTrials


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(SEARCH, tmp_path / "search")


class WorseThanBest:
    """At random; gives up what is worse than the best trial was at the same place."""

    def propose(self, search, history):
        return RandomSearch().propose(search, history)

    def prune(self, search, history, trial):
        here = trial.points[-1]
        others = [point.value for other in history for point in other.points if point.share == here.share]
        return bool(others) and here.value > min(others)


SEARCHERS = {"random": RandomSearch, "halving": lambda: SuccessiveHalving(HalvingSettings(trials=9)), "prunes": WorseThanBest}


def told(study: Study) -> list[object]:
    """All that happened, but for times and the ids of runs."""
    return [(leg.trial, leg.values, leg.until, leg.state, leg.points, leg.scores) for leg in study.legs]


def search_to_the_end(folder: Path, searcher, kills: list[int], parallel: int = 1) -> Study:
    """Search, killed after so many things that happened each time, and begun again by a new process."""
    while True:
        study = Study(SEARCH, folder)
        trials = MadeUpTrials(kills.pop(0) if kills else 0)
        try:
            SearchLoop(study, searcher(), trials, Budget(trials=12), parallel).run()
            return study
        except Killed:
            study.close()


@pytest.mark.parametrize("name", SEARCHERS)
@pytest.mark.parametrize("parallel", [1, 3])
def test_killed_anywhere_it_goes_on_with_the_same_trials(name: str, parallel: int, tmp_path: Path):
    whole = search_to_the_end(tmp_path / "whole", SEARCHERS[name], [], parallel)
    assert len(whole.trials()) == 12
    for place in (1, 5, 17, 31):
        killed = search_to_the_end(tmp_path / str(place), SEARCHERS[name], [place, 3, place], parallel)
        assert [(t.number, t.values, t.state, t.points, t.scores) for t in killed.trials()] == [
            (t.number, t.values, t.state, t.points, t.scores) for t in whole.trials()
        ]
        assert told(killed) == told(whole)


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_line_that_was_half_written_is_no_line(cut: int, tmp_path: Path):
    whole = search_to_the_end(tmp_path / "whole", RandomSearch, [])
    path = tmp_path / "cut" / FILE
    path.parent.mkdir()
    path.write_bytes((tmp_path / "whole" / FILE).read_bytes()[:-cut])
    assert told(search_to_the_end(tmp_path / "cut", RandomSearch, [])) == told(whole)


def test_a_line_that_is_none_is_an_error(tmp_path: Path):
    search_to_the_end(tmp_path, RandomSearch, [])
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b'"state"', b'"state', 1))
    with pytest.raises(TunesmithError, match="TS-TUNE-007"):
        Study(SEARCH, tmp_path)


def test_the_same_trials_come_of_several_at_once_whichever_ends_first(tmp_path: Path):
    class Slow(MadeUpTrials):
        def run(self, leg, began, heed, stop):
            time.sleep(0.002 * ((leg.trial * self.factor) % 5))
            return super().run(leg, began, heed, stop)

    found = []
    for factor in (1, 3):
        study = Study(SEARCH, tmp_path / str(factor))
        trials = Slow()
        trials.factor = factor
        SearchLoop(study, WorseThanBest(), trials, Budget(trials=12), parallel=3).run()
        found.append(told(study))
    assert found[0] == found[1]


def test_halving_lets_the_better_third_go_on_and_runs_no_stretch_twice(tmp_path: Path):
    study = Study(SEARCH, tmp_path)
    SearchLoop(study, SuccessiveHalving(HalvingSettings(trials=9)), MadeUpTrials(), Budget(trials=9)).run()
    assert [leg.until for leg in study.legs] == [1 / 9] * 9 + [1 / 3] * 3 + [1]
    first = sorted(study.trials(9), key=lambda trial: trial.points[0].value)
    assert {leg.trial for leg in study.legs[9:12]} == {trial.number for trial in first[:3]}
    winner = study.legs[12].trial
    assert winner == first[0].number
    assert [point.share for point in study.trials()[winner].points] == [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_what_has_failed_is_reported_and_not_run_again(tmp_path: Path):
    class Twice:
        def propose(self, search, history):
            return Proposal({one.name: one.spread(4)[len(history) % 4] for one in search.space})

    study, trials = Study(SEARCH, tmp_path), MadeUpTrials(fails=lambda leg: leg.trial == 1)
    SearchLoop(study, Twice(), trials, Budget(trials=8)).run()
    assert trials.begun == [0, 1, 2, 3]
    assert [trial.state for trial in study.trials()] == ["done", "failed", "done", "done"] * 2
    assert (study.legs[5].same_as, study.legs[5].error.code) == (1, "TS-TRAIN-001")


def test_where_the_first_trials_all_fail_the_search_ends(study: Study):
    trials = MadeUpTrials(fails=lambda leg: True)
    with pytest.raises(TunesmithError, match="TS-TUNE-006") as caught:
        SearchLoop(study, RandomSearch(), trials, Budget(trials=50)).run()
    assert "the loss is no number" in caught.value.why
    assert len(trials.begun) == 3


def test_a_grid_is_tried_once_and_ends(study: Study):
    loop = SearchLoop(study, GridSearch(GridSettings(points=2)), MadeUpTrials(), Budget(trials=50))
    assert loop.run() == "the searcher has nothing more to try"
    assert [(trial.values[SEARCH.space[0].name], trial.values[SEARCH.space[1].name]) for trial in study.trials()] == [
        (1e-5, 4), (1e-5, 64), (1e-2, 4), (1e-2, 64)
    ]  # fmt: skip


def test_a_space_of_few_values_is_not_searched_for_ever(tmp_path: Path):
    search = Search((Parameter("steps.tune.optimizer", "choice", choices=("adamw", "lion")),), (Goal("score.nll", "lower"),))
    study = Study(search, tmp_path)

    class Once(MadeUpTrials):
        def run(self, leg, began, heed, stop):
            self.begun.append(leg.trial)
            return TrialOutcome("done", (1.0,))

    trials = Once()
    assert "tried before" in SearchLoop(study, RandomSearch(), trials, Budget()).run()
    assert len(trials.begun) == 2


def test_the_time_of_earlier_sessions_counts_and_what_runs_can_go_on(tmp_path: Path):
    now = [0.0]

    class Minute(MadeUpTrials):
        def run(self, leg, began, heed, stop):
            now[0] += 60
            return super().run(leg, began, heed, stop)

    study = Study(SEARCH, tmp_path)
    reason = SearchLoop(study, RandomSearch(), Minute(), Budget(seconds=150), clock=lambda: now[0]).run()
    assert "hours is spent" in reason
    assert len(study.legs) == 3
    again = Study(SEARCH, tmp_path)
    SearchLoop(again, RandomSearch(), Minute(), Budget(seconds=290), clock=lambda: now[0]).run()
    assert 4 <= len(again.legs) <= 5


def test_one_that_is_asked_to_stop_leaves_its_trial_to_go_on(study: Study):
    class Waits(MadeUpTrials):
        def run(self, leg, began, heed, stop):
            heed(Point(0.1, 1.0))
            stop.wait(5)
            return TrialOutcome("stopped")

    loop = SearchLoop(study, RandomSearch(), Waits(), Budget(trials=5))
    threading.Timer(0.05, loop.cancel).start()
    assert loop.run() == "it was asked to stop"
    assert [leg.state for leg in study.legs] == [""]
    assert study.trials()[0].points == (Point(0.1, 1.0),)


def test_the_device_hours_of_a_trial_that_was_stopped_count(tmp_path: Path):
    """Whoever stops a search again and again spends no more than was allowed."""
    now = [0.0]

    class Stopped(MadeUpTrials):
        loop: SearchLoop

        def run(self, leg, began, heed, stop):
            now[0] += 60
            self.loop.cancel()
            return TrialOutcome("stopped")

    for session in (1, 2, 3):
        trials, study = Stopped(), Study(SEARCH, tmp_path)
        trials.loop = SearchLoop(study, RandomSearch(), trials, Budget(device_seconds=150), clock=lambda: now[0])
        reason = trials.loop.run()
        study.close()
        assert (len(study.legs), study.legs[0].seconds, study.spent) == (1, 60 * session, 60 * session)
        assert reason == "it was asked to stop"
    study = Study(SEARCH, tmp_path)
    assert "device-hours is spent" in SearchLoop(study, RandomSearch(), Stopped(), Budget(device_seconds=150), clock=lambda: now[0]).run()


def test_without_anything_to_follow_halving_runs_each_trial_whole(tmp_path: Path):
    study = Study(replace(SEARCH, followed=None), tmp_path)
    SearchLoop(study, SuccessiveHalving(HalvingSettings(trials=4)), MadeUpTrials(), Budget(trials=4)).run()
    assert [trial.state for trial in study.trials()] == ["done"] * 4
