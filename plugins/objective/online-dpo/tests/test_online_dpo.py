"""Which completions are a pair, and that the loss on them is its formula in float64 with the gradient."""

from __future__ import annotations

import pytest
import torch

from tunesmith_online_dpo.objective import OnlinePreference
from tunesmith_online_dpo.settings import OnlinePreferenceSettings
from tunesmith_torch.api import COMPLETIONS, Group, MicroBatch, Rollout, Score, TokenSequence

LENGTHS = (3, 5, 2, 4)


def rollouts(*rewards, truncated=()):
    return [Rollout(1, at, 0, [1], [5], [-1.0], "", at not in truncated, score=Score(reward)) for at, reward in enumerate(rewards)]


def better(objective, group):
    return [facts and facts["better"] for facts in objective.learn([group], {})[0]]


def test_the_highest_reward_is_compared_with_the_lowest():
    objective = OnlinePreference(OnlinePreferenceSettings(num_generations=4))
    assert better(objective, rollouts(0.5, 0.1, 0.9, 0.4)) == [None, -1.0, 1.0, None]
    assert better(objective, rollouts(0.5, None, 0.9, None)) == [-1.0, None, 1.0, None]


def test_without_a_difference_there_is_no_pair():
    objective = OnlinePreference(OnlinePreferenceSettings())
    assert better(objective, rollouts(1.0, 1.0)) == better(objective, rollouts(1.0, None)) == better(objective, rollouts(None, None))
    assert better(objective, rollouts(1.0, 1.0)) == [None, None]


def test_a_truncated_completion_pays():
    assert better(OnlinePreference(OnlinePreferenceSettings(missing_eos_penalty=1)), rollouts(0.9, 0.5, truncated=(0,))) == [-1.0, 1.0]


@pytest.mark.parametrize("loss_type", ["sigmoid", "ipo"])
def test_loss_and_gradient_are_those_of_the_formula_whichever_of_a_pair_is_the_better_one(loss_type):
    objective = OnlinePreference(OnlinePreferenceSettings(loss_type=loss_type, beta=0.3))
    drawn = torch.Generator().manual_seed(3)
    sequences = [TokenSequence([1] + [5] * length, [False] + [True] * length) for length in LENGTHS]
    groups = [
        Group(tuple(sequences[at : at + 2]), {COMPLETIONS: [{"better": sign}, {"better": -sign}]}) for at, sign in ((0, 1.0), (2, -1.0))
    ]
    policy, reference = (-torch.rand(sum(LENGTHS), generator=drawn, dtype=torch.float64) for _ in range(2))
    batch = MicroBatch(groups, LENGTHS, policy.requires_grad_(), reference)
    found = objective.loss(batch)
    mean, wanted = found.total / 2, objective.formula(batch)
    assert float(mean.detach()) == pytest.approx(float(wanted.detach()), rel=1e-12)
    gradient, expected = (torch.autograd.grad(value, policy, retain_graph=True)[0] for value in (mean, wanted))
    assert torch.allclose(gradient, expected, rtol=1e-9)
    assert gradient[0] < 0 < gradient[3]  # the first pair's first completion gets likelier, and its second less so
    assert gradient[8] > 0 > gradient[10]
