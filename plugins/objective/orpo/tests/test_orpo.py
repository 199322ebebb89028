"""The loss by hand, and what it makes of answers that are certain or of which nothing is left. TRL's: tests/objectives."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith_orpo.objective import OddsRatioPreference
from tunesmith_orpo.settings import OddsRatioSettings
from tunesmith_torch.api import Group, MicroBatch, TokenSequence

PAIR = Group((TokenSequence([1, 2], [False, True]),) * 2)


def loss(policy, lengths, **settings):
    policy = torch.tensor(policy, requires_grad=True)
    found = OddsRatioPreference(OddsRatioSettings(**settings)).loss(MicroBatch([PAIR] * (len(lengths) // 2), lengths, policy))
    found.total.backward()
    return found, policy.grad


def test_it_is_the_likelihood_of_the_chosen_answer_and_the_odds_of_both():
    found, _ = loss([math.log(0.8), math.log(0.8), math.log(0.5)], (2, 1), beta=0.5)
    ratio = (0.8 / 0.2) / (0.5 / 0.5)
    assert float(found.total) == pytest.approx(-math.log(0.8) - 0.5 * math.log(ratio / (1 + ratio)), rel=1e-5)
    assert float(found.metrics["loss/sft"] + found.metrics["loss/preference"]) == pytest.approx(float(found.total.detach()))


@pytest.mark.parametrize(("policy", "lengths"), [
    ([-3.0], (0, 1)), ([-3.0], (1, 0)), ([-3.0], (0, 0, 0, 1)), ([0.0, -5.0], (1, 1)), ([-5.0, 0.0], (1, 1)), ([-1e-9, -200.0], (1, 1)),
])  # fmt: skip
def test_answers_that_are_certain_or_empty_give_no_nan(policy, lengths):
    found, gradient = loss(policy, lengths)
    assert torch.isfinite(found.total)
    assert gradient.isfinite().all()
