"""The preference objective: what it takes from a row, what it makes of log-probabilities."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_torch.api import Group, MicroBatch, TokenSequence

SEQUENCE = TokenSequence([1, 2, 3], [False, True, True])
PAIR = Group((SEQUENCE, SEQUENCE))


class Words:
    """A chat encoder whose tokens are words; the assistant's are labelled from message `since` on."""

    def encode(self, messages, tools=(), *, since=0):
        tokens, labels = [0], [False]
        for at, m in enumerate(messages):
            words = m["content"][0]["text"].split()
            tokens += [len(word) for word in words]
            labels += [m["role"] == "assistant" and at >= since] * len(words)
        return TokenSequence(tokens, labels)


ROW = {
    "messages": [message("user", "how are you"), message("assistant", "well"), message("user", "really")],
    "chosen": [message("assistant", "yes indeed")], "rejected": [message("assistant", "no")],
}  # fmt: skip


def test_a_row_is_chosen_then_rejected_with_the_prompt_as_context():
    group = DirectPreference(PreferenceSettings()).encode(ROW, Words())
    assert [sum(s.labels) for s in group.sequences] == [2, 1]  # the answer within the prompt is not trained on
    assert [len(s.tokens) for s in group.sequences] == [8, 7]
    assert DirectPreference(PreferenceSettings()).weight(group) == 1.0


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_an_empty_side_is_refused(side):
    with pytest.raises(UserError, match=f"TS-DATA-037.*{side}"):
        DirectPreference(PreferenceSettings()).encode(ROW | {side: [message("user", "no")]}, Words())


def loss(policy, reference, **settings):
    pairs = len(policy) // 4
    batch = MicroBatch([PAIR] * pairs, (2, 2) * pairs, torch.tensor(policy), torch.tensor(reference))
    return DirectPreference(PreferenceSettings(**settings)).loss(batch)


def test_without_a_difference_it_is_the_loss_of_a_coin():
    assert float(loss([-1.0, -2, -3, -4], [-1.0, -2, -3, -4]).total) == pytest.approx(math.log(2))


def test_it_is_the_sigmoid_loss_of_the_reward_margin():
    result = loss([-1.0, -1, -5, -5], [-2.0, -2, -3, -3], beta=0.5)
    margin = 0.5 * ((-2 + 4) - (-10 + 6))
    assert float(result.total) == pytest.approx(math.log(1 + math.exp(-margin)))
    assert {name: float(value) for name, value in result.metrics.items() if name.startswith("rewards")} == {
        "rewards/chosen": 1.0, "rewards/rejected": -2.0, "rewards/margin": 3.0, "rewards/accuracy": 1.0,
    }  # fmt: skip


def test_pairs_add_up():
    one, other = loss([-1.0, -1, -5, -5], [-2.0, -2, -3, -3]), loss([-4.0, -1, -2, -2], [-2.0, -2, -3, -3])
    both = loss([-1.0, -1, -5, -5, -4, -1, -2, -2], [-2.0, -2, -3, -3] * 2)
    assert float(both.total) == pytest.approx(float(one.total + other.total))
    assert float(both.metrics["rewards/margin"]) == pytest.approx(float(one.metrics["rewards/margin"] + other.metrics["rewards/margin"]))


def test_smoothing_mixes_the_two_labels():
    straight, turned = loss([-1.0, -1, -5, -5], [-2.0, -2, -3, -3]), loss([-5.0, -5, -1, -1], [-3.0, -3, -2, -2])
    smoothed = loss([-1.0, -1, -5, -5], [-2.0, -2, -3, -3], label_smoothing=0.2)
    assert float(smoothed.total) == pytest.approx(0.8 * float(straight.total) + 0.2 * float(turned.total))
