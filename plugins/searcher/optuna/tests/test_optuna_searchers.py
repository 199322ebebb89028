"""TPE and CMA-ES on a made-up pipeline: they find what is good, give up what is bad, and say the same after a kill."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest

from tunesmith.contracts import UserError
from tunesmith_optuna.cma_es import CMAES
from tunesmith_optuna.settings import CmaesSettings, TpeSettings
from tunesmith_optuna.tpe import TPE
from tunesmith_tune.api import Goal, Parameter, Search, Trial
from tunesmith_tune.conformance import SEARCH, loss, searched
from tunesmith_tune.searchers.random_search import RandomSearch

NUMBERS = replace(SEARCH, space=SEARCH.space[:2], followed=None)


def best(searcher, seed: int, legs: int = 24) -> float:
    trials, _ = searched(lambda: searcher, replace(SEARCH, seed=seed, followed=None), legs=legs)
    return min(loss(trial.values) for trial in trials)


def test_tpe_finds_better_than_chance_with_as_many_trials():
    seeds = range(3)
    found = median(best(TPE(TpeSettings(pruner="none")), seed) for seed in seeds)
    assert found < median(best(RandomSearch(), seed) for seed in seeds)


@pytest.mark.parametrize("pruner", ["median", "successive_halving", "hyperband"])
def test_each_pruner_gives_up_some_and_not_the_best(pruner: str):
    trials, _ = searched(lambda: TPE(TpeSettings(pruner=pruner)), SEARCH)
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert 3 <= len(pruned) < len(trials)
    done = [trial for trial in trials if trial.state == "done"]
    assert min(loss(trial.values) for trial in done) <= min(loss(trial.values) for trial in pruned)


def test_higher_is_followed_as_well_as_lower():
    turned = replace(SEARCH, followed=Goal("tune.validation_accuracy", "higher"))
    trials, _ = searched(lambda: TPE(TpeSettings()), SEARCH)
    done = [trial for trial in trials if trial.state == "done"][-5:]
    flipped = [replace(trial, points=tuple(replace(point, value=-point.value) for point in trial.points)) for trial in done]
    worst = Trial(9, done[0].values, "running", points=tuple(replace(point, value=point.value + 9) for point in done[0].points[:3]))
    settings = TpeSettings(pruner_startup_trials=1)
    assert TPE(settings).prune(SEARCH, done, worst)
    assert not TPE(settings).prune(turned, flipped, worst)


def test_several_goals_are_searched_together_and_nothing_is_given_up():
    search = Search(SEARCH.space, (Goal("score.accuracy", "higher"), Goal("small.size", "lower")), 3, SEARCH.followed)
    trials, said = searched(lambda: TPE(TpeSettings(n_startup_trials=4)), search, legs=10)
    assert [trial.state for trial in trials] == ["done"] * 10
    assert len({tuple(one.values.values()) for one in said}) == 10


def test_cma_es_closes_in_on_the_best_generation_by_generation():
    search = replace(SEARCH, space=(*SEARCH.space[:2], Parameter("steps.tune.settings.max_grad_norm", "uniform", 0.1, 5.0)))

    def cost(trial: Trial) -> float:
        return sum((one.share(trial.values[one.name]) - 0.3) ** 2 for one in search.space)

    history: list[Trial] = []
    for number in range(36):
        values = CMAES(CmaesSettings(population_size=6)).propose(search, history).values
        trial = Trial(number, values, "done")
        history.append(replace(trial, scores=(-cost(trial),)))
    assert median(map(cost, history[-12:])) < 0.4 * median(map(cost, history[:12]))


@pytest.mark.parametrize("size", [1, 3])
def test_a_generation_too_small_to_learn_from_is_refused(size: int):
    with pytest.raises(UserError, match="TS-TUNE-005"):
        CmaesSettings(population_size=size)


def test_cma_es_waits_for_its_generation():
    running = [Trial(number, CMAES(CmaesSettings()).propose(NUMBERS, []).values, "running") for number in range(6)]
    assert CMAES(CmaesSettings(population_size=6)).propose(NUMBERS, running) is None
    assert CMAES(CmaesSettings(population_size=6)).propose(NUMBERS, running[:5]) is not None
