"""Rows to sequences, numbers of answers, and the rules by which something is warned of."""

from __future__ import annotations

import random

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_pairs import Answers, counts, encode_pair, pair_metrics, per_answer, signs, tail_weights
from tunesmith_pairs.signs import LONGER, SHORTER, STEPS, TOGETHER
from tunesmith_torch.api import MicroBatch
from tunesmith_torch.conformance.objective import PlainChat

ROW = {"messages": [message("user", "Why?")], "chosen": [message("assistant", "So.")], "rejected": [message("assistant", "Well")]}


def test_a_margin_of_the_row_is_a_fact_of_its_group():
    assert encode_pair(ROW, PlainChat()).facts == {}
    assert encode_pair(ROW | {"margin": 2}, PlainChat()).facts == {"margin": 2.0}
    assert encode_pair(ROW | {"margin": None}, PlainChat()).facts == {}


def test_answers_that_are_the_same_are_refused():
    with pytest.raises(UserError, match="TS-DATA-082"):
        encode_pair(ROW | {"rejected": ROW["chosen"]}, PlainChat())


def test_an_answer_of_which_nothing_is_left_is_nothing_and_no_nan():
    values = torch.tensor([-1.0, -2.0, -4.0])
    assert [own.tolist() for own in per_answer(values, [2, 0, 0, 1])] == [[-3, 0], [0, -4]]
    assert [count.tolist() for count in counts([2, 0, 0, 1], values)] == [[2, 1], [1, 1]]


def test_only_what_goes_beyond_the_shorter_answer_weighs_less():
    assert tail_weights([3, 1, 2, 2, 0, 1], 0.5, torch.zeros(0)).tolist() == [1, 0.5, 0.5, 1, 1, 1, 1, 1, 0.5]


def test_correlation_with_length_is_of_answers_of_different_lengths():
    batch = MicroBatch([None] * 3, [3, 1, 2, 2, 1, 4], torch.zeros(13))
    rewards = Answers(torch.tensor([2.0, 5.0, 1.0]), torch.tensor([1.0, 0.0, 3.0]))  # the longer one twice
    found = pair_metrics(batch, rewards, rewards)["length/correlation"]
    assert (float(found.total), float(found.count)) == (2.0, 2.0)


def history(chosen, rejected, correlation=0.0, steps=2 * STEPS, noise=0.05):
    """Rewards that go from 0 to these."""
    chance = random.Random(2)
    return [
        {
            "rewards/chosen": chosen * at / steps + chance.gauss(0, noise),
            "rewards/rejected": rejected * at / steps + chance.gauss(0, noise),
            "length/correlation": correlation + chance.gauss(0, noise),
        }
        for at in range(steps)
    ]  # fmt: skip


@pytest.mark.parametrize(("course", "expected"), [
    (history(-1.0, -3.0), [TOGETHER]), (history(1.0, -3.0), []), (history(0.0, -3.0), []), (history(-1.0, 0.5), []),
    (history(-1.0, -3.0, steps=2 * STEPS - 1), []), (history(1.0, -1.0, 0.9), [LONGER]), (history(1.0, -1.0, -0.95), [SHORTER]),
    (history(1.0, -1.0, 0.7), []), (history(-1.0, -3.0, 0.9), [TOGETHER, LONGER]), ([{"loss": 1.0}] * 40, []),
], ids=str)  # fmt: skip
def test_what_is_warned_of(course, expected):
    assert signs(course) == expected


def test_chance_is_not_warned_of():
    """Rewards that go nowhere, a hundred times."""
    chance = random.Random(7)
    courses = [[{f"rewards/{side}": chance.gauss(0, 1) for side in ("chosen", "rejected")} for _ in range(30)] for _ in range(100)]
    assert sum(bool(signs(course)) for course in courses) <= 2
