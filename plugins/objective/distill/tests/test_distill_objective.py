"""The objective `distill`: the divergence from a teacher's likeliest tokens, and from all of them TRL's."""

from __future__ import annotations

import pytest
import torch

from tunesmith_distill.objective import Distillation
from tunesmith_distill.settings import DistillSettings
from tunesmith_torch.api import Group, MicroBatch, TokenSequence, TopTokens

WORDS, LABELS = 12, 5
GROUP = Group((TokenSequence(range(LABELS + 1), [False] + [True] * LABELS),))


def distributions(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """(labels, words) logits of a student and a teacher, double precision."""
    drawn = torch.Generator().manual_seed(seed)
    student, teacher = (2 * torch.randn((LABELS, WORDS), generator=drawn, dtype=torch.float64) for _ in range(2))
    return student.requires_grad_(), teacher


def loss(student: torch.Tensor, teacher: torch.Tensor, **settings) -> torch.Tensor:
    """The mean over the tokens."""
    objective = Distillation(DistillSettings(**settings))
    top = torch.log_softmax(teacher, 1).topk(objective.settings.top_k)
    ours = torch.log_softmax(student, 1)
    batch = MicroBatch([GROUP], (LABELS,), ours[:, 0], teacher=TopTokens(top.indices, top.values), candidates=ours.gather(1, top.indices))
    assert torch.allclose(objective.loss(batch).total / LABELS, objective.formula(batch), rtol=1e-9)
    return objective.loss(batch).total / LABELS


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 1.0])
def test_over_the_whole_vocabulary_loss_and_gradients_are_trls_to_1e_9(beta: float, monkeypatch):
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    trainer = pytest.importorskip("trl.experimental.gkd.gkd_trainer", reason="needs TRL, which the project's test environment has")
    student, teacher = distributions()
    labels = torch.zeros((1, LABELS), dtype=torch.long)
    wanted = trainer.GKDTrainer.generalized_jsd_loss(student[None], teacher[None], labels=labels, beta=beta)
    found = loss(student, teacher, beta=beta, top_k=WORDS)
    assert found.item() == pytest.approx(wanted.item(), abs=1e-9)
    (right,) = torch.autograd.grad(wanted, student)
    (ours,) = torch.autograd.grad(found, student)
    assert torch.allclose(ours, right, atol=1e-9)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_with_fewer_tokens_it_is_never_more_and_grows_with_their_number(beta: float):
    student, teacher = distributions(3)
    found = [loss(student, teacher, beta=beta, top_k=count).item() for count in (1, 4, 8, WORDS)]
    assert found == sorted(found)
    assert found[0] >= 0


def test_a_student_that_is_the_teacher_has_no_loss_and_no_gradient():
    _, teacher = distributions()
    student = teacher.clone().requires_grad_()
    found = loss(student, teacher, top_k=4)
    (gradient,) = torch.autograd.grad(found, student)
    assert abs(found.item()) < 1e-12
    assert gradient.abs().max() < 1e-12


def test_a_share_of_the_loss_is_the_answers_likelihood():
    student, teacher = distributions()
    plain = -torch.log_softmax(student, 1)[:, 0].mean()
    alone = loss(student, teacher, top_k=4)
    assert loss(student, teacher, top_k=4, sft_weight=0.25).item() == pytest.approx((0.75 * alone + 0.25 * plain).item())
