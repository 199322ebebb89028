"""When more trials are not worth it, told by rows; and what the report says of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import pytest

from tunesmith_tune.api import Goal, Parameter, Proposal, Search, Trial
from tunesmith_tune.report.importance import importance
from tunesmith_tune.report.result import front
from tunesmith_tune.study.patience import Patience, RowsFile
from tunesmith_tune.study.study import Study

RATE = Parameter("steps.tune.settings.learning_rate", "uniform", 0.0, 1.0)
SEARCH = Search((RATE,), (Goal("score.nll", "lower"),))


def rows(mean: float, spread: float = 0.1, seed: int = 0, count: int = 60) -> list[dict[str, Any]]:
    random = Random(seed)
    return [{"question": f"q{number}", "nll": mean + spread * random.gauss(0, 1), "answer": "a"} for number in range(count)]


def searched(folder: Path, scores: list[list[dict[str, Any]]], of: Callable[[float], float] = float) -> Study:
    study = Study(SEARCH, folder)
    for number, one in enumerate(scores):
        leg = study.begin(Proposal({RATE.name: number / 10}), number)
        RowsFile(folder).write(number, one)
        study.end(leg, "done", (of(fmean(row["nll"] for row in one)),))
    return study


def test_a_gain_beyond_chance_keeps_the_search_going(tmp_path: Path):
    assert Patience(2)(searched(tmp_path, [rows(2.0), rows(2.0, seed=1), rows(1.5), rows(1.4)])) == ""


def test_a_gain_within_chance_ends_it_with_the_interval(tmp_path: Path):
    told = Patience(2)(searched(tmp_path, [rows(2.0), rows(2.1), rows(1.999, 0.5, 7), rows(1.99, 0.5, 9)]))
    assert "95 % interval" in told


def test_no_gain_ends_it_and_fewer_trials_than_its_patience_never_do(tmp_path: Path):
    study = searched(tmp_path, [rows(1.0), rows(2.0), rows(3.0)])
    assert "nothing better than trial 1" in Patience(2)(study)
    assert Patience(3)(study) == Patience(0)(study) == ""


def test_several_goals_are_never_enough(tmp_path: Path):
    study = searched(tmp_path, [rows(1.0), rows(2.0), rows(3.0)])
    study.search = Search((RATE,), (Goal("a.b", "lower"), Goal("a.c", "lower")))
    assert Patience(1)(study) == ""


@pytest.mark.parametrize("of", [float, math.exp])
def test_a_gain_is_of_the_metric_and_has_its_interval(of: Callable[[float], float], tmp_path: Path):
    study = searched(tmp_path, [rows(2.0), rows(1.5)], of)
    found = Patience.gain(study, *study.trials())
    assert found.value == pytest.approx(of(2.0) - of(1.5), rel=0.1)
    assert 0 < found.low < found.value < found.high


@pytest.mark.parametrize(
    "others", [rows(1.0, count=59), [{**row, "question": f"other {row['question']}"} for row in rows(1.0)], rows(1.0, count=10), []]
)
def test_other_rows_or_too_few_give_no_interval(others: list[dict[str, Any]], tmp_path: Path):
    study = searched(tmp_path, [rows(2.0, count=len(others) if len(others) == 10 else 60), others or rows(1.0)])
    if not others:
        RowsFile(tmp_path).write(1, [])
    assert Patience.gain(study, *study.trials()) is None


def test_a_parameter_that_decides_is_important_and_one_that_does_not_is_not():
    random = Random(3)
    other = Parameter("steps.tune.optimizer", "choice", choices=("adamw", "lion"))
    values = [{RATE.name: random.random(), other.name: random.choice(other.choices)} for _ in range(40)]
    done = [Trial(n, one, "done", ((one[RATE.name] - 0.4) ** 2,)) for n, one in enumerate(values)]
    found = importance(Search((other, RATE), SEARCH.goals), done)
    assert list(found) == [RATE.name, other.name]
    assert found[RATE.name] > 0.99
    assert found[other.name] < 0.1


def test_the_front_is_what_no_other_beats():
    search = Search((RATE,), (Goal("a.b", "higher"), Goal("a.c", "lower")))
    done = [Trial(n, {}, "done", scores) for n, scores in enumerate([(0.5, 2.0), (0.9, 4.0), (0.5, 3.0), (0.4, 1.0)])]
    assert [trial.number for trial in front(search, done)] == [1, 0, 3]
