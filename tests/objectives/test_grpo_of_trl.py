"""GRPO's losses, their gradients and its advantages are those of TRL's trainer for the same numbers, to 2e-5 of float32."""

from __future__ import annotations

import itertools
from collections import defaultdict
from types import SimpleNamespace

import pytest
import torch

from tunesmith_grpo.objective import GroupRelative
from tunesmith_grpo.settings import GroupSettings
from tunesmith_torch.api import COMPLETIONS, Group, MicroBatch, Rollout, Score, TokenSequence

pytestmark = pytest.mark.slow
TOLERANCE = 2e-5
LENGTHS = (3, 7, 1, 5, 4, 6)
CUT = (False, True, False, False, True, False)  # which are truncated
LOSSES = ({"loss_type": "dapo"}, {"loss_type": "grpo"}, {"loss_type": "dr_grpo"}, {"loss_type": "cispo", "epsilon_high": 1.2})


def rows(values: torch.Tensor) -> torch.Tensor:
    """(completions, longest), zeros behind each."""
    return torch.nn.utils.rnn.pad_sequence(list(values.split(LENGTHS)), batch_first=True)


def trl_loss(settings: GroupSettings, batch: MicroBatch, old: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    from trl.trainer.grpo_trainer import GRPOTrainer

    facts = [facts for group in batch.groups for facts in group.facts[COMPLETIONS]]
    mask = rows(torch.ones(sum(LENGTHS))) * seen[:, None]
    policy = rows(batch.policy)
    trainer = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *_, **__: (policy, torch.zeros_like(policy), None), top_entropy_quantile=1.0,
        importance_sampling_level=settings.importance_sampling_level, beta=settings.beta, loss_type=settings.loss_type,
        epsilon_low=settings.epsilon, epsilon_high=settings.epsilon_high or settings.epsilon, off_policy_mask_threshold=None,
        use_vllm=False, max_completion_length=settings.max_completion_length, current_gradient_accumulation_steps=1,
        args=SimpleNamespace(delta=None, use_bias_correction_kl=False, steps_per_generation=1), model=SimpleNamespace(training=True),
        accelerator=SimpleNamespace(num_processes=1, gather=lambda value: value, reduce=lambda value, reduction: value),
        _entropy_bonus_enabled=False, aux_loss_enabled=False, _metrics=defaultdict(lambda: defaultdict(list)),
    )  # fmt: skip
    ids = torch.ones_like(policy, dtype=torch.long)
    inputs = {
        "prompt_ids": ids[:, :1], "prompt_mask": ids[:, :1], "completion_ids": ids, "completion_mask": mask,
        "advantages": torch.tensor([one["advantage"] for one in facts]), "num_items_in_batch": mask.sum(), "old_per_token_logps": rows(old),
    }  # fmt: skip
    if batch.reference is not None:
        inputs["ref_per_token_logps"] = rows(batch.reference)
    return GRPOTrainer._compute_loss(trainer, None, inputs)


@pytest.mark.parametrize(
    ("loss", "level", "beta", "masks"),
    [
        (loss, level, beta, masks)
        for loss, level, beta, masks in itertools.product(LOSSES, ("token", "sequence"), (0.0, 0.2), (False, True))
        if (loss["loss_type"], level) != ("cispo", "sequence")
    ],
    ids=str,
)
def test_losses_and_gradients_are_trls(loss, level, beta, masks):
    settings = GroupSettings(**loss, importance_sampling_level=level, beta=beta, mask_truncated_completions=masks, num_iterations=2)
    objective, drawn = GroupRelative(settings), torch.Generator().manual_seed(5)
    policy, reference, old = (-0.2 - torch.rand(sum(LENGTHS), generator=drawn) for _ in range(3))
    rollouts = [
        Rollout(1, at, 0, [1], [5] * length, own.tolist(), "", not cut, score=Score(reward), old=own.tolist())
        for at, (length, own, cut, reward) in enumerate(zip(LENGTHS, old.split(LENGTHS), CUT, (1.0, 0.0, 0.5, 0.5, 2.0, -1.0), strict=True))
    ]
    facts = objective.learn([rollouts[:3], rollouts[3:]], {})
    sequences = [TokenSequence([1] + [5] * length, [False] + [True] * length) for length in LENGTHS]
    groups = [Group(tuple(part), {COMPLETIONS: own}) for part, own in zip((sequences[:3], sequences[3:]), facts, strict=True)]
    batch = MicroBatch(groups, LENGTHS, policy.requires_grad_(), reference if beta else None)
    found = objective.loss(batch).total / sum(map(objective.weight, groups))
    seen = torch.tensor([0.0 if masks and cut else 1.0 for cut in CUT])
    wanted = trl_loss(settings, batch, old, seen)
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=TOLERANCE, abs=TOLERANCE)
    gradient, expected = (torch.autograd.grad(value, batch.policy, retain_graph=True)[0] for value in (found, wanted))
    torch.testing.assert_close(gradient, expected, rtol=0, atol=TOLERANCE * float(expected.abs().max()))
