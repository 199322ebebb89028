"""What a search tells: its lines, its page, and the same as data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tunesmith_tune.api import Proposal
from tunesmith_tune.budget import Budget
from tunesmith_tune.commands.display import Display
from tunesmith_tune.report.page import DATA, PAGE, write_report
from tunesmith_tune.report.result import SearchResult, search_result
from tunesmith_tune.searchers.random_search import RandomSearch
from tunesmith_tune.study.loop import SearchLoop
from tunesmith_tune.study.study import Study

from .made_up_trials import SEARCH, MadeUpTrials


class GivesUp(RandomSearch):
    """Prunes its fourth trial; its last one has the values of the first."""

    def propose(self, search, history):
        return Proposal(dict(history[0].values)) if len(history) == 9 else super().propose(search, history)

    def prune(self, search, history, trial):
        return trial.number == 3 and trial.points[-1].share >= 0.4


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[SearchResult, str]:
    study = Study(SEARCH, tmp_path / "support-1a2b3c4d")
    display = Display(study, as_json=False)
    trials = MadeUpTrials(fails=lambda leg: leg.trial == 5)
    reason = SearchLoop(study, GivesUp(), trials, Budget(trials=10), tell=display.leg).run()
    result = search_result(study, reason, "random")
    display.result(result)
    return result, capsys.readouterr().out


def test_each_trial_is_told_with_what_came_of_it(told: tuple[SearchResult, str]):
    result, out = told
    assert re.search(r"^trial 1 +begins +learning_rate [\de.-]+  r \d+$", out, re.M)
    assert re.search(r"^trial 1 +done +score\.nll [\d.]+ .*best so far$", out, re.M)
    assert re.search(r"^trial 4 +pruned at 40% tune\.validation_loss [\d.]+", out, re.M)
    assert re.search(r"^trial 6 +failed at 100% TS-TRAIN-001: the loss is no number$", out, re.M)
    assert re.search(r"^trial 10 +done +as trial 1, which had the same values$", out, re.M)
    assert f"best  trial {result.best.number + 1}: score.nll" in out
    assert "ended: the budget of 10 trials is spent" in out


def test_the_page_has_the_history_the_values_and_each_trial(told: tuple[SearchResult, str]):
    result, _ = told
    page = write_report(result, result.folder).read_text(encoding="utf-8")
    assert page.count('class="beside"') + page.count('class="won"') == 8
    assert page.count('class="won"') == page.count('class="first"') == 1
    assert page.count("<tr>") == 1 + 10
    assert "Importance" in page
    assert "TS-TRAIN-001" in page
    assert "src=" not in page
    assert "href=" not in page


def test_the_same_is_data(told: tuple[SearchResult, str]):
    result, _ = told
    write_report(result, result.folder)
    assert (result.folder / PAGE).exists()
    data = json.loads((result.folder / DATA).read_text(encoding="utf-8"))
    assert [trial["state"] for trial in data["trials"]] == ["done"] * 3 + ["pruned", "done", "failed"] + ["done"] * 4
    assert data["best"] == result.best.number
    assert data["trials"][9]["same_as"] == 0
    assert data["trials"][5]["error"]["code"] == "TS-TRAIN-001"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_plan_tells_the_space_what_a_trial_needs_and_the_first_one(as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    estimates = [SimpleNamespace(memory=2.0**30, disk=2.0**20), SimpleNamespace(memory=2.0**31, disk=2.0**20), None]
    steps = [SimpleNamespace(name=f"step-{number}", estimate=one) for number, one in enumerate(estimates)]
    study = Study(SEARCH, tmp_path / "support-1a2b3c4d")
    first = RandomSearch().propose(SEARCH, ()).values
    ready = SimpleNamespace(
        study=study, plan=SimpleNamespace(steps=steps), parallel=2, args=SimpleNamespace(budget=["9", "trials"]), first=lambda: first
    )  # fmt: skip
    Display(study, as_json).planned(ready)
    out = capsys.readouterr().out
    if as_json:
        told = json.loads(out)
        assert (told["memory"], told["disk"], told["first"], told["trials"]) == (2.0**31, 2.0**21, dict(first), None)
    else:
        assert "memory about 2.0 GiB (in step-1), disk about 2.0 MiB" in out
        assert "each power of ten as often" in out
        assert "Nothing was run" in out
