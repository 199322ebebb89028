"""What a completion's reward is above what was to be expected, against the papers' formulas in numpy."""

from __future__ import annotations

import numpy
import pytest

from tunesmith_grpo.advantages import EPS, advantages

REWARDS = [[1.0, 0.0, 0.5, 0.25], [2.0, 2.0, 2.0, 2.0], [-1.0, 3.0, 0.0, 1.0]]


def test_grpo_is_the_distance_from_the_groups_mean_in_its_deviations():
    wanted = numpy.array(REWARDS)
    wanted = (wanted - wanted.mean(1, keepdims=True)) / (wanted.std(1, ddof=1, keepdims=True) + EPS)
    assert numpy.allclose(advantages(REWARDS, "grpo", "group"), wanted)


def test_a_group_of_equal_rewards_has_no_advantage():
    for estimator, scale in (("grpo", "group"), ("grpo", "none"), ("grpo", "batch"), ("rloo", "none")):
        assert advantages(REWARDS, estimator, scale)[1] == [0.0] * 4


def test_rloo_leaves_the_completion_itself_out_of_its_baseline():
    found = advantages(REWARDS, "rloo", "none")
    for group, own in zip(REWARDS, found, strict=True):
        for at, value in enumerate(own):
            assert value == pytest.approx(group[at] - numpy.mean(group[:at] + group[at + 1 :]))


def test_reinforce_plus_plus_compares_with_the_whole_batch():
    wanted = numpy.array(REWARDS)
    wanted = wanted - wanted.mean()
    assert numpy.allclose(advantages(REWARDS, "reinforce_plus_plus", "batch"), wanted / (numpy.array(REWARDS).std(ddof=1) + EPS))


def test_an_unscored_completion_is_in_no_mean_and_has_no_advantage():
    found = advantages([[1.0, None, 0.0], [None, None, None]], "grpo", "none")
    assert found == [[0.5, None, -0.5], [None, None, None]]
