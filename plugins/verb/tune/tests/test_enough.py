"""When more trials are not worth it, told by rows; and what the report says of parameters."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random

import pytest

from tunesmith_tune.api import Goal, Parameter, Proposal, Search, Trial
from tunesmith_tune.report.importance import importance
from tunesmith_tune.report.result import front
from tunesmith_tune.study.patience import Patience, RowsFile
from tunesmith_tune.study.row_scores import RowScores, paired_gain, row_scores
from tunesmith_tune.study.study import Study

RATE = Parameter("steps.tune.settings.learning_rate", "uniform", 0.0, 1.0)
SEARCH = Search((RATE,), (Goal("score.nll", "lower"),))


def rows(mean: float, spread: float = 0.1, seed: int = 0, count: int = 60) -> RowScores:
    random = Random(seed)
    return RowScores(tuple(mean + spread * random.gauss(0, 1) for _ in range(count)), (1.0,) * count)


def searched(folder: Path, scores: list[RowScores]) -> Study:
    study = Study(SEARCH, folder)
    for number, one in enumerate(scores):
        leg = study.begin(Proposal({RATE.name: number / 10}), number)
        RowsFile(folder).write(number, one)
        study.end(leg, "done", (one.mean,))
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


def test_the_interval_holds_the_true_gain_as_often_as_it_says():
    random = Random(5)
    hits = 0
    for _ in range(400):
        before = [random.gauss(2, 1) for _ in range(50)]
        now = [value - 0.1 + random.gauss(0, 0.3) for value in before]
        found = paired_gain(RowScores(tuple(before), (1.0,) * 50), RowScores(tuple(now), (1.0,) * 50), lower_is_better=True)
        hits += found.low <= 0.1 <= found.high
    assert 0.91 < hits / 400 < 0.98


def test_other_rows_or_too_few_give_no_interval():
    assert paired_gain(rows(1.0, count=60), rows(1.0, count=59), lower_is_better=True) is None
    assert paired_gain(rows(1.0, count=10), rows(1.0, count=10), lower_is_better=True) is None


@pytest.mark.parametrize(
    ("samples", "metric", "value", "found"),
    [
        ([{"right": True}, {"right": False}], "exact_match", 0.5, (1.0, 0.0)),
        ([{"nll": 1.0, "tokens": 3}, {"nll": 2.0, "tokens": 1}], "nll", 1.25, (1.0, 2.0)),
        ([{"nll": 1.0, "tokens": 3}, {"nll": 2.0, "tokens": 1}], "perplexity", math.exp(1.25), (1.0, 2.0)),
        ([{"length": 7}, {"length": 9}], "something", 0.4, None),
    ],
)
def test_the_rows_behind_a_metric_are_those_whose_mean_it_is(samples, metric: str, value: float, found, tmp_path: Path):
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    scores = row_scores(tmp_path, metric, value)
    assert (scores.values if scores else None) == found


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
