"""Each loss is its formula, and gives no NaN; settings that a loss does not read are refused. TRL's losses: tests/objectives."""

from __future__ import annotations

import pytest
import torch

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_cpo.asks import parts
from tunesmith_cpo.objective import ContrastivePreference
from tunesmith_cpo.settings import LOSSES, ContrastiveSettings
from tunesmith_torch.api import Group, MicroBatch, TokenSequence

PAIR = Group((TokenSequence([1, 2], [False, True]),) * 2)


def batch(policy, lengths):
    return MicroBatch([PAIR] * (len(lengths) // 2), lengths, policy.requires_grad_())


@pytest.mark.parametrize("loss_type", LOSSES)
@pytest.mark.parametrize("alpha", [0.0, 0.2, -0.3])
def test_it_is_its_formula(loss_type, alpha):
    settings = ContrastiveSettings(loss_type=loss_type, beta=0.4, cpo_alpha=0.6, alphapo_alpha=alpha)
    objective, lengths = ContrastivePreference(settings), (3, 1, 2, 4)
    made = batch(-3 * torch.rand(10, dtype=torch.float64, generator=torch.Generator().manual_seed(1)), lengths)
    found, expected = objective.loss(made).total / 2, objective.formula(made)
    assert float(found.detach()) == pytest.approx(float(expected.detach()))
    torch.testing.assert_close(*(torch.autograd.grad(one, made.policy)[0] for one in (found, expected)))


@pytest.mark.parametrize("loss_type", LOSSES)
@pytest.mark.parametrize("lengths", [(0, 1), (1, 0), (0, 0, 1, 0)])
def test_an_answer_of_which_nothing_is_left_gives_no_nan(loss_type, lengths):
    made = batch(torch.tensor([-30.0]), lengths)
    found = ContrastivePreference(ContrastiveSettings(loss_type=loss_type, alphapo_alpha=0.3)).loss(made).total
    assert torch.isfinite(found)
    assert torch.autograd.grad(found, made.policy)[0].isfinite().all()


@pytest.mark.parametrize("given", [{"loss_type": "hinge", "label_smoothing": 0.1}, {"simpo_gamma": 1.0}])
def test_what_a_loss_does_not_read_is_refused_in_the_plan(given):
    with pytest.raises(UserError, match="TS-TRAIN-093"):
        parts(EstimateRequest(settings=given))
