"""Rewards of tokens, advantages and the KL coefficient, against the papers' formulas in numpy's float64."""

from __future__ import annotations

import numpy
import pytest

from tunesmith_ppo.advantages import divergences, gains, scaled, token_rewards
from tunesmith_ppo.kl_control import adapted

LENGTHS = (4, 1, 7, 2)
DRAWN = numpy.random.default_rng(3)
REWARDS = [DRAWN.normal(size=length).tolist() for length in LENGTHS]
VALUES = [DRAWN.normal(size=length).tolist() for length in LENGTHS]


def plain_advantages(rewards, values, gamma, lam):
    """The sum that arXiv:1506.02438 writes, term by term."""
    deltas = [rewards[t] + gamma * (values[t + 1] if t + 1 < len(values) else 0.0) - values[t] for t in range(len(values))]
    return numpy.array([sum((gamma * lam) ** k * deltas[t + k] for k in range(len(deltas) - t)) for t in range(len(deltas))])


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.9, 0.5), (1.0, 1.0), (0.99, 0.0)])
def test_advantages_are_generalised_and_whitened_over_all_tokens(gamma, lam):
    plain = [plain_advantages(rewards, values, gamma, lam) for rewards, values in zip(REWARDS, VALUES, strict=True)]
    every = numpy.concatenate(plain)
    for gain, own, values in zip(gains(REWARDS, VALUES, gamma, lam), plain, VALUES, strict=True):
        assert gain.advantages == pytest.approx(((own - every.mean()) / every.std(ddof=1)).tolist(), rel=1e-7)
        assert gain.returns == pytest.approx((own + numpy.array(values)).tolist(), rel=1e-12)


def test_without_looking_back_a_return_is_the_sum_of_what_is_still_to_come():
    for gain, rewards in zip(gains(REWARDS, VALUES, 1.0, 1.0), REWARDS, strict=True):
        assert gain.returns == pytest.approx(numpy.cumsum(rewards[::-1])[::-1].tolist())


def test_scaled_rewards_have_a_deviation_of_one_and_keep_their_mean():
    before, after = (numpy.concatenate(values) for values in (REWARDS, scaled(REWARDS)))
    assert after.std(ddof=1) == pytest.approx(1, rel=1e-7)
    assert after.mean() == pytest.approx(before.mean())


def test_the_score_is_the_last_tokens_and_each_costs_its_distance():
    policy, reference = [-1.0, -2.0, -0.5], [-1.5, -1.0, -0.5]
    assert token_rewards(2.0, divergences(policy, reference, "k1"), 3, 0.1) == pytest.approx([-0.05, 0.1, 2.0])
    odds = numpy.exp(numpy.array(reference) - policy)
    assert divergences(policy, reference, "k3") == pytest.approx((odds - 1 - numpy.log(odds)).tolist())
    assert token_rewards(2.0, divergences(policy, (), "k1"), 3, 0.1) == [0.0, 0.0, 2.0]


def test_nothing_at_all_and_all_the_same_are_no_division_by_zero():
    assert gains([], [], 1.0, 0.95) == []
    assert gains([[1.0]], [[1.0]], 1.0, 0.95)[0].advantages == [0.0]
    assert [gain.advantages for gain in gains([[1.0], [1.0]], [[0.0], [0.0]], 1.0, 0.95)] == [[0.0], [0.0]]


def test_the_coefficient_follows_the_target_by_a_fifth_at_most():
    assert adapted(0.2, 6.0, 6.0, 64, 10000) == 0.2
    assert adapted(0.2, 6.6, 6.0, 64, 10000) == pytest.approx(0.2 * (1 + 0.1 * 64 / 10000))
    assert adapted(0.2, 60.0, 6.0, 10000, 10000) == pytest.approx(0.24)
    assert adapted(0.2, 0.0, 6.0, 10000, 10000) == pytest.approx(0.16)
