"""What it takes from rows, its baseline and its weights. TRL's loss: tests/objectives; one kind of answers only: the engine's tests."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_kto.class_balance import weights_told
from tunesmith_kto.objective import COUNT, MEAN, KahnemanTversky
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


def classified(rewards, labels, mean, **settings):
    """Loss, gradient and formula of ``bco`` for answers of one token with these log-ratios, with this mean of the rewards so far."""
    objective = KahnemanTversky(UtilitySettings(loss_type="bco", **settings))
    groups = [Group((ANSWER,), {"label": label}) for label in labels]
    reference = torch.full((len(rewards),), -2.0, dtype=torch.float64)
    policy = (reference + torch.tensor(rewards, dtype=torch.float64)).requires_grad_()
    state = {MEAN: torch.tensor(mean), COUNT: torch.tensor(4.0)}
    batch = MicroBatch(groups, [1] * len(rewards), policy, reference, own=range(len(groups)), state=state)
    found, formula = objective.loss(batch).total / len(groups), objective.formula(batch)
    return found, formula, *(torch.autograd.grad(value, policy)[0] for value in (found, formula))


def test_bco_is_a_classifier_of_answers_against_the_mean_of_all_rewards():
    found, formula, slope, of_formula = classified([1.0, -0.5, 2.0], (True, False, False), 0.2, beta=0.5, desirable_weight=2.0)
    wanted = -(2 * math.log(sigmoid(0.5 - 0.2)) + math.log(sigmoid(0.2 + 0.25)) + math.log(sigmoid(0.2 - 1.0))) / 3
    assert float(found.detach()) == pytest.approx(wanted)
    assert float(formula.detach()) == pytest.approx(wanted)
    torch.testing.assert_close(slope, of_formula)


def test_bco_of_the_answers_of_pairs_is_half_of_dpos_bco_pair():
    """Which is held against TRL's."""
    from tunesmith_dpo.objective import DirectPreference
    from tunesmith_dpo.settings import PreferenceSettings

    found, _, slope, _ = classified([1.0, -0.5, 0.3, 0.4], (True, False, True, False), 0.2, beta=0.5)
    policy = torch.tensor([-1.0, -2.5, -1.7, -1.6], dtype=torch.float64, requires_grad=True)
    pairs = MicroBatch([Group((ANSWER, ANSWER))] * 2, [1] * 4, policy, torch.full_like(policy, -2.0).detach(), own=range(2),
                       state={MEAN: torch.tensor(0.2), COUNT: torch.tensor(4.0)})  # fmt: skip
    paired = DirectPreference(PreferenceSettings(loss_type="bco_pair", beta=0.5)).loss(pairs).total / 2
    torch.testing.assert_close(paired, 2 * found)
    torch.testing.assert_close(torch.autograd.grad(paired, policy)[0], 2 * slope)


def test_the_mean_of_rewards_goes_on_from_batch_to_batch_however_it_is_cut():
    objective = KahnemanTversky(UtilitySettings(loss_type="bco", beta=0.5))
    first, second = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([[-3.0]])
    state = objective.next_state(objective.next_state(objective.initial_state(), first), second)
    assert float(state[MEAN]) == pytest.approx(0.5 * 4 / 4)
    assert float(state[COUNT]) == 4
    assert objective.asks.measured == 0
    assert KahnemanTversky(UtilitySettings()).initial_state() == {}
