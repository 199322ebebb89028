"""The objective `process-reward`: what it takes from a solution, and what it makes of scores."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_process_reward.objective import ProcessReward
from tunesmith_process_reward.settings import ProcessRewardSettings
from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_torch.api import Group, MicroBatch, TokenSequence
from tunesmith_torch.api.text import ChatTokenizer

ROW = {"messages": [message("user", "What is 2 + 3 * 4?")], "completions": ["3 * 4 is 12.", "2 + 12 is 15."], "labels": [True, False]}


@pytest.fixture(scope="module")
def chat():
    return ChatTokenizer(tiny_tokenizer())


def read(chat, sequence) -> list[str]:
    """What of the answer the model has read at each place."""
    texts = [chat.tokenizer.decode(sequence.tokens[: place + 1]) for place in sequence.places]
    return [text.rpartition("assistant\n")[2] for text in texts]


def test_a_step_has_its_label_at_its_last_token(chat):
    objective = ProcessReward()
    group = objective.encode(ROW, chat)
    (sequence,) = group.sequences
    assert read(chat, sequence) == ["3 * 4 is 12.", "3 * 4 is 12.\n2 + 12 is 15."]
    assert (group.facts, any(sequence.labels), objective.weight(group)) == ({"steps": [1, 0]}, False, 2.0)


def test_the_last_step_alone_and_another_separator(chat):
    objective = ProcessReward(ProcessRewardSettings(step_separator=" Then ", train_on_last_step_only=True))
    group = objective.encode(ROW, chat)
    assert read(chat, group.sequences[0]) == ["3 * 4 is 12. Then 2 + 12 is 15."]
    assert (group.facts, objective.weight(group)) == ({"steps": [0]}, 1.0)


@pytest.mark.parametrize("steps", [[], ["Yes.", " "]])
def test_a_solution_without_steps_is_refused(chat, steps):
    with pytest.raises(UserError, match="TS-DATA-020"):
        ProcessReward().encode(ROW | {"completions": steps, "labels": [True] * len(steps)}, chat)


def test_equal_scores_are_a_coin_and_wrong_steps_are_counted_by_themselves():
    group = Group((TokenSequence([1, 2, 3], [False] * 3, places=(0, 1, 2)),), {"steps": [1, 0, 1]})
    scores = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)
    batch = MicroBatch([group], places=[3], scores={"score": scores})
    result = ProcessReward().loss(batch)
    assert result.total.item() / 3 == pytest.approx(math.log(2)) == ProcessReward().formula(batch).item()
    assert result.metrics["accuracy"].item() == 1
    assert [number.item() for number in result.metrics["accuracy/wrong"]] == [1, 1]
