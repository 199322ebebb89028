"""Ray Tune itself, in an environment of its own: its algorithms find, its schedulers give up, and a kill changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import tunesmith_sdk
import tunesmith_tune
from tunesmith_sdk.testing.environments import environment_of

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    start = environment_of("tunesmith_ray_tune", tmp_path_factory.mktemp("environments")).start
    beside = [str(Path(package.__file__).parents[1]) for package in (tunesmith_sdk, tunesmith_tune)]
    variables = {**os.environ, **start.environment}
    variables["PYTHONPATH"] = os.pathsep.join([*filter(None, [variables.get("PYTHONPATH")]), *beside])
    script = Path(__file__).with_name("ray_searches.py")
    done = subprocess.run([start.command[0], str(script)], env=variables, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "bayesopt"])
def test_each_algorithm_finds_better_than_chance_with_as_many_trials(told, algorithm):
    assert told["best"][algorithm] < told["best"]["random"]


def test_schedulers_give_up_some_and_fifo_none(told):
    assert told["pruned"]["fifo"] == 0
    assert 3 <= told["pruned"]["async_hyperband"] < 24
    assert 3 <= told["pruned"]["median_stopping_rule"] < 24


def test_a_searcher_made_anew_goes_on_with_the_same_trials_also_with_several_brackets(told):
    assert all(told["same"].values())


@pytest.mark.parametrize("scheduler", ["async_hyperband", "median_stopping_rule"])
def test_higher_is_followed_as_well_as_lower(told, scheduler):
    assert told["ways"][scheduler] == [True, True, False]
