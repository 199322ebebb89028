"""The loss by hand, and what it makes of answers of which nothing is left. TRL's: tests/objectives."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith_simpo.objective import SimplePreference
from tunesmith_simpo.settings import SimpleSettings
from tunesmith_torch.api import Group, MicroBatch, TokenSequence

PAIR = Group((TokenSequence([1, 2], [False, True]),) * 2)


def loss(policy, lengths, **settings):
    policy = torch.tensor(policy, requires_grad=True)
    found = SimplePreference(SimpleSettings(**settings)).loss(MicroBatch([PAIR] * (len(lengths) // 2), lengths, policy))
    found.total.backward()
    return found, policy.grad


def test_it_is_of_means_over_tokens():
    found, _ = loss([-1.0, -3.0, -5.0], (2, 1), beta=2.0, simpo_gamma=1.0)
    assert float(found.total) == pytest.approx(math.log1p(math.exp(-(2 * (-2 + 5) - 1))))
    assert float(found.metrics["rewards/chosen"]) == -4.0
    assert float(found.metrics["logps/chosen"]) == -4.0
    assert float(found.metrics["rewards/rejected"]) == -10.0


@pytest.mark.parametrize("lengths", [(0, 1), (1, 0), (0, 0, 1, 0)])
def test_an_answer_of_which_nothing_is_left_gives_no_nan(lengths):
    found, gradient = loss([-3.0], lengths)
    assert torch.isfinite(found.total)
    assert gradient.isfinite().all()


def test_it_asks_for_no_reference():
    assert not SimplePreference(SimpleSettings()).asks.reference
