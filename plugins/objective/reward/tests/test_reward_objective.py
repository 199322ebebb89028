"""The objective `reward`: what it takes from a row, what it makes of scores, and what training with it leaves behind."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_reward.objective import RewardModel
from tunesmith_reward.settings import RewardSettings
from tunesmith_torch.api import LAST, Group, MicroBatch, TokenSequence

SEQUENCE = TokenSequence([1, 2, 3], [False, False, False], places=(LAST,))
ROW = {
    "messages": [message("user", "how are you")], "chosen": [message("assistant", "yes indeed")], "rejected": [message("assistant", "no")],
}  # fmt: skip


class Words:
    """A chat encoder whose tokens are words; the assistant's are labelled from message `since` on."""

    def encode(self, messages, tools=(), *, since=0):
        tokens, labels = [0], [False]
        for at, m in enumerate(messages):
            words = m["content"][0]["text"].split()
            tokens += [len(word) for word in words]
            labels += [m["role"] == "assistant" and at >= since] * len(words)
        return TokenSequence(tokens, labels)


def loss(*pairs, margins=(), **settings):
    groups = [Group((SEQUENCE, SEQUENCE), {"margin": margin} if margin else {}) for margin in margins or [0] * len(pairs)]
    scores = torch.tensor([[score] for pair in pairs for score in pair], dtype=torch.float64, requires_grad=True)
    batch = MicroBatch(groups, scores={"score": scores})
    objective = RewardModel(RewardSettings(**settings))
    return objective.loss(batch), objective.formula(batch)


def test_a_row_is_two_sequences_with_a_score_at_the_end_of_each_and_no_labels():
    group = RewardModel(RewardSettings()).encode(ROW, Words())
    assert [len(s.tokens) for s in group.sequences] == [6, 5]
    assert [tuple(s.places) for s in group.sequences] == [(LAST,), (LAST,)]
    assert not any(any(s.labels) for s in group.sequences)


def test_the_margin_of_a_row_is_kept_unless_it_is_not_to_be_used():
    assert RewardModel(RewardSettings()).encode(ROW | {"margin": 2}, Words()).facts == {"margin": 2.0}
    assert RewardModel(RewardSettings(use_margin=False)).encode(ROW | {"margin": 2}, Words()).facts == {}


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_an_empty_side_is_refused(side):
    with pytest.raises(UserError, match=f"TS-DATA-037.*{side}"):
        RewardModel(RewardSettings()).encode(ROW | {side: [message("user", "no")]}, Words())


def test_equal_scores_are_a_coin():
    result, mean = loss((1.0, 1.0), (-3.0, -3.0))
    assert result.total.item() / 2 == pytest.approx(math.log(2)) == mean.item()


def test_a_margin_asks_for_a_distance_and_centring_draws_scores_to_zero():
    plain, _ = loss((1.0, 0.0))
    far, mean = loss((1.0, 0.0), margins=(3.0,))
    assert far.total.item() == pytest.approx(math.log(1 + math.exp(2.0))) == mean.item()
    centred, mean = loss((1.0, 0.0), center_rewards_coefficient=0.5)
    assert centred.total.item() == pytest.approx(plain.total.item() + 0.5) == mean.item()
