"""What it takes from rows, its baseline and its weights. TRL's loss: tests/objectives; one kind of answers only: the engine's tests."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_kto.class_balance import weights_told
from tunesmith_kto.objective import KahnemanTversky
from tunesmith_kto.settings import UtilitySettings
from tunesmith_torch.api import Group, MicroBatch, TokenSequence
from tunesmith_torch.conformance.objective import PlainChat

ANSWER = TokenSequence([1, 2], [False, True])
ROW = {"messages": [message("user", "Why?")], "answer": [message("assistant", "So.")], "label": True}
NEXT = {"messages": [message("user", "When?")], "answer": [message("assistant", "Now and then.")], "label": False}


def test_the_next_rows_answer_to_the_same_prompt_is_measured():
    group = KahnemanTversky(UtilitySettings()).encode_with(ROW, NEXT, PlainChat())
    (own,), (measured,) = group.sequences, group.measured
    assert group.facts == {"label": True}
    assert list(measured.tokens[:6]) == list(own.tokens[:6])  # the prompt
    assert (sum(own.labels), sum(measured.labels)) == (len("So.") + 1, len("Now and then.") + 1)


def test_without_a_baseline_nothing_is_measured():
    objective = KahnemanTversky(UtilitySettings(loss_type="apo_zero_unpaired"))
    assert objective.encode_with(ROW, NEXT, PlainChat()).measured == ()
    assert (objective.asks.measured, objective.asks.statistics) == (0, 0)


@pytest.mark.parametrize("broken", [ROW, NEXT])
def test_an_answer_of_nobody_is_refused(broken):
    rows = [{**row, "answer": [message("user", "no")]} if row is broken else row for row in (ROW, NEXT)]
    with pytest.raises(UserError, match="TS-DATA-037"):
        KahnemanTversky(UtilitySettings()).encode_with(*rows, PlainChat())


def loss(policy, labels, statistics, lengths=(1, 1), **settings):
    groups = [Group((ANSWER,), {"label": label}) for label in labels]
    given = torch.tensor(statistics)[:, None]
    policy = torch.tensor(policy, requires_grad=True)
    batch = MicroBatch(groups, lengths, policy, torch.full_like(policy, -2.0), own=range(len(groups)), statistics=given)
    found = KahnemanTversky(UtilitySettings(**settings)).loss(batch)
    found.total.backward()
    return found, policy.grad


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_a_good_answer_gains_above_the_baseline_and_a_bad_one_below():
    found, _ = loss([-1.0, -1.0], (True, False), (0.6, 0.2), beta=0.5, desirable_weight=2.0, undesirable_weight=0.5)
    assert float(found.total) == pytest.approx(2 * (1 - sigmoid(0.5 * (1 - 0.4))) + 0.5 * (1 - sigmoid(0.5 * (0.4 - 1))))
    assert float(found.metrics["rewards/accuracy"]) == 1.0


def test_the_baseline_is_never_below_nothing():
    found, _ = loss([-1.0, -1.0], (True, False), (-3.0, -1.0), beta=1.0)
    assert float(found.total) == pytest.approx(1.0)
    assert float(found.metrics["baseline"]) == 0.0


@pytest.mark.parametrize("labels", [(True, True), (False, False)])
def test_a_batch_of_one_kind_and_an_empty_answer_give_no_nan(labels):
    found, gradient = loss([-1.0], labels, (0.5, 0.5), lengths=(0, 1))
    assert torch.isfinite(found.total)
    assert gradient.isfinite().all()
    side = "rejected" if labels[0] else "chosen"
    assert float(found.metrics[f"rewards/{side}"].count) == 0


def test_weights_that_are_recommended_are_accepted():
    facts = [{"label": number < 30} for number in range(40)]
    (sentence,) = weights_told(facts, UtilitySettings())
    assert "`desirable_weight` between 0.333 and 0.444" in sentence
    assert "`undesirable_weight` between 2.25 and 3" in sentence
    for weights in ({"desirable_weight": 0.4}, {"undesirable_weight": 2.5}):
        assert weights_told(facts, UtilitySettings(**weights)) == ()
