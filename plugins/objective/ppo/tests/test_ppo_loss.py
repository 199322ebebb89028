"""The loss with all its settings is its formula in float64, with the gradients; and what is learned from is what was measured."""

from __future__ import annotations

import itertools

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_ppo.objective import COEFFICIENT, ProximalPolicy
from tunesmith_ppo.settings import ProximalSettings
from tunesmith_torch.api import COMPLETIONS, Group, MicroBatch, Rollout, Score, TokenSequence

LENGTHS = (3, 5, 2, 4)
REWARDS = (1.0, 0.0, None, 0.9)
FORMS = [
    {**kl, **rewards, **clip}
    for kl, rewards, clip in itertools.product(
        ({}, {"kl_coef": 0.0}, {"kl_estimator": "k3", "kl_coef": 0.5}), ({}, {"whiten_rewards": True, "missing_eos_penalty": 0.5}),
        ({}, {"cliprange": 0.05, "cliprange_value": 0.02, "vf_coef": 1.0}),
    )
]  # fmt: skip
FORMS += [{"one_step_off_policy": True, "importance_sampling_clip_max": 1.1}]


def rollouts_of(objective, seed: int = 0):
    drawn = torch.Generator().manual_seed(seed)
    old, reference, values, sampled = (torch.randn(sum(LENGTHS), generator=drawn, dtype=torch.float64).split(LENGTHS) for _ in range(4))
    return [
        [
            Rollout(
                at, 0, 0, [1, 2], [5] * length, (-1 + 0.3 * sampled[at]).tolist(), "", at != 1, score=Score(REWARDS[at]),
                old=(-1 + 0.3 * old[at]).tolist(), heads={"value": values[at].tolist()},
                reference=(-1 + 0.3 * reference[at]).tolist() if objective.asks.reference else (),
            )
        ]
        for at, length in enumerate(LENGTHS)
    ]  # fmt: skip


def batch_of(objective, seed: int = 0) -> MicroBatch:
    groups, state = rollouts_of(objective, seed), objective.initial_state()
    found = [facts for (facts,) in objective.learn(groups, state) if facts is not None]
    lengths = [len(facts["old"]) for facts in found]
    sequences = [TokenSequence([1, 2] + [5] * length, [False] * 2 + [True] * length, places=range(1, length + 1)) for length in lengths]
    drawn = torch.Generator().manual_seed(seed + 100)
    near = 0.2 * torch.randn(2, sum(lengths), generator=drawn, dtype=torch.float64)
    policy, values = (torch.tensor([value for facts in found for value in facts[name]], dtype=torch.float64) for name in ("old", "values"))
    return MicroBatch(
        [Group(tuple(sequences[:2]), {COMPLETIONS: found[:2]}), Group(tuple(sequences[2:]), {COMPLETIONS: found[2:]})], lengths,
        (policy + near[0]).requires_grad_(), places=lengths, scores={"value": (values + near[1])[:, None].requires_grad_()}, state=state,
    )  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_loss_and_gradients_are_those_of_the_formula(form):
    objective = ProximalPolicy(ProximalSettings(**form))
    for seed in range(3):
        batch, other = batch_of(objective, seed), batch_of(objective, seed)
        found = objective.loss(batch)
        mean, wanted = found.total / sum(map(objective.weight, batch.groups)), objective.formula(other)
        assert float(mean.detach()) == pytest.approx(float(wanted.detach()), rel=1e-9)
        assert float(found.rows.sum().detach()) == pytest.approx(float(found.total.detach()))
        mine = torch.autograd.grad(mean, (batch.policy, batch.scores["value"]))
        for own, right in zip(mine, torch.autograd.grad(wanted, (other.policy, other.scores["value"])), strict=True):
            assert torch.allclose(own, right, rtol=1e-7, atol=1e-12)


def test_a_value_within_its_range_has_its_gradient_in_the_formula_whatever_rounding_makes_of_its_square():
    objective = ProximalPolicy(ProximalSettings())
    facts = {"advantages": [0.0], "returns": [0.25], "values": [0.0], "old": [-1.0], "kl": 0.0}
    group = Group((TokenSequence([1, 2], [False, True], places=(0,)),), {COMPLETIONS: [facts]})
    for number in torch.tensor([0.028525298461318016, -0.02233758208409664, 0.0827080290870642], dtype=torch.float64):
        policy, value = torch.tensor([-1.0], dtype=torch.float64, requires_grad=True), number.reshape(1, 1).clone().requires_grad_()
        batch = MicroBatch([group], [1], policy, places=[1], scores={"value": value}, state=objective.initial_state())
        for mean in (objective.formula(batch), objective.loss(batch).total):
            assert torch.autograd.grad(mean, value)[0].item() == pytest.approx(0.1 * (float(number) - 0.25))


def test_a_completion_without_a_reward_is_not_learned_from_and_counts_in_no_mean():
    objective = ProximalPolicy(ProximalSettings())
    groups = rollouts_of(objective)
    found = objective.learn(groups, objective.initial_state())
    assert [facts is None for (facts,) in found] == [False, False, True, False]
    assert objective.learn([groups[at] for at in (0, 1, 3)], objective.initial_state()) == [found[at] for at in (0, 1, 3)]


def test_a_truncated_completion_pays_and_the_coefficient_is_that_of_the_state():
    plain, strict = (ProximalPolicy(ProximalSettings(missing_eos_penalty=penalty, gamma=1.0, lam=1.0)) for penalty in (0.0, 2.0))
    groups, state = rollouts_of(plain), plain.initial_state()
    returns = [[facts["returns"][-1] for (facts,) in one.learn(groups, state) if facts] for one in (plain, strict)]
    assert [a - b for a, b in zip(*returns, strict=True)] == pytest.approx([0, 2, 0])  # the second is truncated
    (dear,) = plain.learn(groups[:1], {COEFFICIENT: torch.tensor(1.0)})[0]
    rollout = groups[0][0]
    assert dear["returns"][0] == pytest.approx(1.0 - sum(rollout.old) + sum(rollout.reference))


def test_the_coefficient_is_adapted_only_where_that_is_asked_for():
    for wanted in (False, True):
        objective = ProximalPolicy(ProximalSettings(adap_kl_ctrl=wanted, target=0.01, horizon=10))
        found = float(objective.adapted(objective.initial_state(), rollouts_of(objective))[COEFFICIENT])
        assert (found != 0.05) == wanted
    assert found == pytest.approx(0.05 * (1 - 0.2 * 4 / 10)) or found == pytest.approx(0.05 * (1 + 0.2 * 4 / 10))


def test_a_coefficient_of_nothing_cannot_be_adapted():
    with pytest.raises(UserError, match="TS-TRAIN-127"):
        ProximalPolicy(ProximalSettings(adap_kl_ctrl=True, kl_coef=0))
