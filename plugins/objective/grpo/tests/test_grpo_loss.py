"""The loss in all its forms is its formula in float64, with the gradient, however its settings are."""

from __future__ import annotations

import itertools

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_grpo.objective import GroupRelative
from tunesmith_grpo.settings import GroupSettings
from tunesmith_torch.api import COMPLETIONS, Group, MicroBatch, Rollout, Score, TokenSequence

LENGTHS = (3, 5, 2, 4)
LOSSES = ({"loss_type": "dapo"}, {"loss_type": "grpo"}, {"loss_type": "dr_grpo"}, {"loss_type": "cispo", "epsilon_high": 1.1})
FORMS = [
    {**loss, **level, **kl, **more}
    for loss, level, kl, more in itertools.product(
        LOSSES, ({}, {"importance_sampling_level": "sequence"}), ({}, {"beta": 0.3}),
        ({"num_iterations": 2}, {"num_iterations": 2, "mask_truncated_completions": True}, {}),
    )
    if not (loss["loss_type"] == "cispo" and level)
]  # fmt: skip
FORMS += [
    {**loss, **more, "one_step_off_policy": True, "importance_sampling_clip_max": 1.2}
    for loss, more in itertools.product(LOSSES, ({}, {"num_iterations": 2, "beta": 0.3}))
]


def batch_of(objective, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> MicroBatch:
    drawn = torch.Generator().manual_seed(seed)
    values = {
        name: -0.1 - torch.rand(sum(LENGTHS), generator=drawn, dtype=torch.float64) for name in ("policy", "reference", "old", "sampled")
    }
    old, sampled = values["old"].split(LENGTHS), values["sampled"].split(LENGTHS)
    rollouts = [
        Rollout(1, at, 0, [1, 2], [5] * length, drawn.tolist(), "", at != 1, score=Score(reward), old=own.tolist())
        for at, (length, own, drawn, reward) in enumerate(zip(LENGTHS, old, sampled, (1.0, 0.0, 0.3, 0.9), strict=True))
    ]
    (facts,) = objective.learn([rollouts], {})
    sequences = [TokenSequence([1, 2] + [5] * length, [False] * 2 + [True] * length) for length in LENGTHS]
    groups = [Group(tuple(sequences[start:stop]), {COMPLETIONS: facts[start:stop]}) for start, stop in ((0, 3), (3, 4))]
    reference = values["reference"].to(dtype) if objective.asks.reference else None
    return MicroBatch(groups, LENGTHS, values["policy"].to(dtype).requires_grad_(), reference)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: " ".join(map(str, form.values())))
def test_loss_and_gradient_are_those_of_the_formula(form):
    objective = GroupRelative(GroupSettings(**form))
    for seed in range(3):
        batch, other = batch_of(objective, seed=seed), batch_of(objective, seed=seed)
        found = objective.loss(batch).total / sum(map(objective.weight, batch.groups))
        wanted = objective.formula(other)
        assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-9)
        assert torch.allclose(
            torch.autograd.grad(found, batch.policy)[0], torch.autograd.grad(wanted, other.policy)[0], rtol=1e-7, atol=1e-12
        )


def test_a_first_step_has_a_ratio_of_one_and_the_gradient_of_reinforce():
    objective = GroupRelative(GroupSettings(loss_type="dapo"))
    batch = batch_of(objective)
    (gradient,) = torch.autograd.grad(objective.loss(batch).total, batch.policy)
    gains = [facts["advantage"] for group in batch.groups for facts in group.facts[COMPLETIONS]]
    wanted = torch.cat([torch.full((length,), -gain, dtype=torch.float64) for length, gain in zip(LENGTHS, gains, strict=True)])
    assert torch.allclose(gradient, wanted)


def test_a_token_that_another_model_wrote_counts_by_its_truncated_ratio():
    """As TRL's `token_truncate`: exp(old - sampled), at most `importance_sampling_clip_max`, times the loss of the token."""
    plain, corrected = (
        GroupRelative(GroupSettings(num_iterations=2, one_step_off_policy=True, importance_sampling_clip_max=most)) for most in (0.0, 1.2)
    )
    one, other = batch_of(plain), batch_of(corrected)
    facts = [facts for group in other.groups for facts in group.facts[COMPLETIONS]]
    ratio = torch.tensor([a - b for own in facts for a, b in zip(own["old"], own["sampled"], strict=True)], dtype=torch.float64).exp()
    assert 0 < int((ratio > 1.2).sum()) < len(ratio)
    (before,) = torch.autograd.grad(plain.loss(one).total, one.policy)
    found = corrected.loss(other)
    (after,) = torch.autograd.grad(found.total, other.policy)
    assert torch.allclose(after, before * ratio.clamp(max=1.2))
    truncated = found.metrics["sampling/importance_sampling_ratio/truncated"]
    assert float(truncated.total / truncated.count) == pytest.approx(float((ratio > 1.2).double().mean()))
    assert "sampling/importance_sampling_ratio/mean" not in plain.loss(one).metrics


def test_a_group_without_advantage_pulls_nothing_without_a_reference():
    objective = GroupRelative(GroupSettings())
    rollouts = [Rollout(1, at, 0, [1], [5], [-1.0], "", True, score=Score(1.0)) for at in range(4)]
    assert [facts["advantage"] for facts in objective.learn([rollouts], {})[0]] == [0.0] * 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss_type": "cispo"},
        {"loss_type": "cispo", "epsilon_high": 5.0, "importance_sampling_level": "sequence"},
        {"advantage_estimator": "rloo"},
    ],
)
def test_settings_that_contradict_one_another_are_refused(wrong):
    with pytest.raises(UserError, match="TS-TRAIN-123"):
        GroupRelative(GroupSettings(**wrong))
