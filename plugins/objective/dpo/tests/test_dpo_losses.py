"""Each loss is its formula, however the batch is cut; settings that do not fit together are refused. TRL's losses: tests/objectives."""

from __future__ import annotations

import math
import random

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_dpo.asks import parts
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import DIVERGENCES, LOSSES, PreferenceSettings
from tunesmith_torch.api import Group, KeepsState, MicroBatch, TokenSequence
from tunesmith_torch.conformance.objective import Made

SMOOTHED = ("sigmoid", "robust", "exo_pair", "aot", "aot_unpaired")
SETTINGS = [{"loss_type": name, "beta": 0.3, "label_smoothing": 0.15 if name in SMOOTHED else 0.0} for name in LOSSES if name != "sft"]
SETTINGS += [
    {"loss_type": name, "f_divergence_type": kind, "label_smoothing": 0.1 if name in SMOOTHED else 0.0, "beta": 0.05}
    for name in ("sigmoid", "hinge", "ipo", "robust", "exo_pair", "discopop", "sigmoid_norm") for kind in DIVERGENCES[1:]
]  # fmt: skip
SETTINGS += [
    {"f_divergence_type": "alpha_divergence", "f_alpha_divergence_coef": 1.3}, {"ld_alpha": 0.4, "loss_type": "aot"},
    {"ld_alpha": 0.0, "loss_type": "ipo"}, {"use_weighting": True, "loss_type": ["sigmoid", "nca_pair", "sft"]},
    {"loss_type": ["sigmoid", "bco_pair", "sft"], "loss_weights": [0.8, 0.2, 1.0]}, {"loss_type": ["aot", "aot_unpaired", "hinge"]},
]  # fmt: skip


def pairs(count: int = 5) -> list[Group]:
    chance = random.Random(1)
    made = []
    for _ in range(count):
        answers = []
        for _side in range(2):
            length = chance.randint(1, 6)
            tokens = [chance.randrange(3, 300) for _ in range(2 + length)]
            answers.append(TokenSequence(tokens, [False, False] + [True] * length))
        made.append(Group(tuple(answers)))
    return made


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_pair_by_pair_it_is_the_formula_of_the_whole_batch(settings):
    objective = DirectPreference(PreferenceSettings(**settings))
    made = Made(objective, pairs())
    whole = made.batch()
    expected = objective.formula(whole)
    (wanted,) = torch.autograd.grad(expected, whole.policy)
    value, gradients = 0.0, []
    for number in range(len(made.groups)):
        batch = made.batch([number])
        result = objective.loss(batch)
        value += float((result.total if result.value is None else result.value).detach()) / made.weight
        gradients.append(torch.autograd.grad(result.total / made.weight, batch.policy)[0])
    assert value == pytest.approx(float(expected.detach()), rel=1e-9)
    torch.testing.assert_close(torch.cat(gradients), wanted, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_outputs_far_from_usual_are_no_nan(settings):
    """Also of answers of which nothing is left."""
    objective = DirectPreference(PreferenceSettings(**settings))
    empty = Group((TokenSequence([1, 2], [False, False]), TokenSequence([1, 2, 3], [False, False, True])))
    groups = [*pairs(3), empty]
    made = Made(objective, groups)
    for far in (-1e-6, -3.0, -40.0):
        batch = made.batch(dtype="float32")
        policy = torch.full_like(batch.policy, far).requires_grad_()
        found = objective.loss(MicroBatch(**{**vars(batch), "policy": policy}))
        (gradient,) = torch.autograd.grad(found.total, policy)
        assert torch.isfinite(found.total), far
        assert gradient.isfinite().all(), far


REFUSED = {
    "label_smoothing": {"loss_type": "hinge", "label_smoothing": 0.1},
    "discopop_tau": {"discopop_tau": 0.1},
    "f_divergence_type": {"loss_type": "apo_zero", "f_divergence_type": "forward_kl"},
    "f_alpha_divergence_coef": {"f_alpha_divergence_coef": 0.7},
    "above 0": {"loss_type": "exo_pair"},
    "no loss `sigmoidal`": {"loss_type": "sigmoidal"},
    "names no loss of pairs": {"loss_type": "sft"},
    "one twice": {"loss_type": ["hinge", "hinge"]},
    "`loss_weights` are 1": {"loss_type": ["hinge", "sigmoid"], "loss_weights": [1.0]},
    "`loss_weights: .1.0, -1.0.` has one": {"loss_type": ["hinge", "sigmoid"], "loss_weights": [1.0, -1.0]},
    "no loss `sigmoid,sft`": {"loss_type": "sigmoid,sft"},
    "does not go with `aot`": {"loss_type": ["sigmoid", "aot"], "use_weighting": True},
}


@pytest.mark.parametrize("what", REFUSED)
def test_settings_that_have_no_effect_or_exclude_each_other_are_refused(what):
    with pytest.raises(UserError, match=f"TS-TRAIN-093.*{what}"):
        PreferenceSettings(**REFUSED[what]).check()


def test_the_plan_hears_of_it_from_the_estimator():
    from tunesmith.contracts import EstimateRequest

    with pytest.raises(UserError, match="TS-TRAIN-093"):
        parts(EstimateRequest(settings={"loss_type": "hinge", "label_smoothing": 0.1}))


def test_the_running_mean_is_that_of_all_rewards_so_far():
    objective = DirectPreference(PreferenceSettings(loss_type="bco_pair", beta=0.5))
    assert isinstance(objective, KeepsState)
    batches, state = [torch.randn(3, 4), torch.randn(5, 4), torch.randn(2, 4)], objective.initial_state()
    for statistics in batches:
        before = {name: value.clone() for name, value in state.items()}
        following = objective.next_state(state, statistics)
        assert all(torch.equal(state[name], before[name]) for name in state)
        state = following
    rewards = 0.5 * torch.cat([statistics[:, :2] - statistics[:, 2:] for statistics in batches])
    assert float(state["reward_mean"]) == pytest.approx(float(rewards.mean()), rel=1e-5)
    assert float(state["reward_count"]) == 20


def test_only_losses_of_the_whole_batch_measure_before_they_train():
    of_pairs = [name for name in LOSSES if name not in ("sft", "exo_pair")]
    measured = [name for name in of_pairs if DirectPreference(PreferenceSettings(loss_type=name)).asks.statistics]
    assert measured == ["bco_pair", "aot", "aot_unpaired"]


def test_what_users_look_at():
    pair = Group((TokenSequence([1, 2, 3], [False, True, True]), TokenSequence([1, 2], [False, True])))
    policy, reference = torch.tensor([-1.0, -1.0, -5.0]), torch.tensor([-2.0, -2.0, -3.0])
    batch = MicroBatch([pair], (2, 1), policy, reference, torch.tensor([0.5, 1.0, 1.5]))
    metrics = DirectPreference(PreferenceSettings(beta=0.5)).loss(batch).metrics
    means = {name: float(value.total / value.count) if isinstance(value, tuple) else float(value) for name, value in metrics.items()}
    assert means == pytest.approx({
        "rewards/chosen": 1.0, "rewards/rejected": -1.0, "rewards/margin": 2.0, "rewards/accuracy": 1.0, "logps/chosen": -2.0,
        "logps/rejected": -5.0, "length/chosen": 2.0, "length/rejected": 1.0, "length/correlation": 1.0, "entropy": 1.0,
        "kl": (1 + 1 + 4) / 2 / 3,
    })  # fmt: skip


def test_without_entropy_it_is_not_told():
    lengths = [sum(sequence.labels) for sequence in pairs(1)[0].sequences]
    batch = MicroBatch(pairs(1), lengths, -torch.ones(sum(lengths)), -torch.ones(sum(lengths)))
    assert "entropy" not in DirectPreference(PreferenceSettings()).loss(batch).metrics


def test_hinge_is_nothing_beyond_its_margin():
    pair = Group((TokenSequence([1, 2], [False, True]), TokenSequence([1, 2], [False, True])))
    for policy, expected in (([-1.0, -9.0], 0.0), ([-3.0, -3.0], 1.0), ([-5.0, -1.0], 3.0)):
        batch = MicroBatch([pair], (1, 1), torch.tensor(policy), torch.tensor([-3.0, -3.0]))
        assert float(DirectPreference(PreferenceSettings(loss_type="hinge", beta=0.5)).loss(batch).total) == pytest.approx(expected)
    assert math.isclose(float(DirectPreference(PreferenceSettings()).loss(batch).total), math.log1p(math.exp(0.4)), rel_tol=1e-6)
