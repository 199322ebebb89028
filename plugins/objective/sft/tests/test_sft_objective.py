"""The supervised objective: what it takes from a row, what it makes of log-probabilities."""

from __future__ import annotations

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_sft.objective import SupervisedTuning
from tunesmith_sft.settings import SupervisedSettings
from tunesmith_torch.api import Group, MicroBatch, TokenSequence


class Words:
    """A chat encoder whose tokens are words; the assistant's are labelled."""

    def encode(self, messages, tools=(), *, since=0):
        tokens, labels = [0], [False]
        for at, m in enumerate(messages):
            words = m["content"][0]["text"].split()
            tokens += [len(word) for word in words]
            labels += [m["role"] == "assistant" and at >= since] * len(words)
        return TokenSequence(tokens, labels)


def test_a_row_is_one_sequence_weighed_by_its_answers():
    group = SupervisedTuning().encode({"messages": [message("user", "how are you"), message("assistant", "very well")]}, Words())
    assert len(group.sequences) == 1
    assert SupervisedTuning().weight(group) == 2.0


def test_asked_to_it_learns_every_token_that_another_precedes():
    objective = SupervisedTuning(SupervisedSettings(train_on="all"))
    group = objective.encode({"messages": [message("user", "how are you"), message("assistant", "very well")]}, Words())
    assert list(group.sequences[0].labels) == [False, True, True, True, True, True]
    assert objective.weight(group) == 5.0


def test_asked_to_it_learns_the_last_answer_after_all_that_came_before():
    turns = [message("user", "how are you"), message("assistant", "very well"), message("user", "really"), message("assistant", "yes")]
    group = SupervisedTuning(SupervisedSettings(train_on="last_assistant")).encode({"messages": turns}, Words())
    assert list(group.sequences[0].labels) == [False] * 7 + [True]


def test_a_row_without_an_answer_is_refused():
    with pytest.raises(UserError, match="TS-DATA-033"):
        SupervisedTuning().encode({"messages": [message("user", "how are you")]}, Words())


def test_the_loss_is_the_negative_log_likelihood():
    policy = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    group = Group((TokenSequence([1, 2, 3, 4], [False, True, True, True]),))
    result = SupervisedTuning().loss(MicroBatch([group], (3,), policy))
    assert float(result.total) == 3.5
    result.total.backward()
    assert policy.grad.tolist() == [-1.0, -1.0, -1.0]
