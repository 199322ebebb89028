"""What is trained is what was asked for: planted faults end the step before its first optimizer step."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from tunesmith.contracts import TunesmithError
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_kto.objective import KahnemanTversky
from tunesmith_kto.settings import UtilitySettings
from tunesmith_torch.training.loss.batch_loss import BatchLoss
from tunesmith_torch.training.loss.certificate import Witness

#: several micro-batches a step
SETTINGS = {"max_steps": 3, "max_tokens_per_microbatch": 60}


class HingeAsSigmoid(DirectPreference):
    """`loss_type: hinge` is set, and the usual loss is trained."""

    def loss(self, batch):
        return DirectPreference(replace(self.settings, loss_type="sigmoid")).loss(batch)


class WithoutWeights(KahnemanTversky):
    """`desirable_weight` is set, and nothing reads it."""

    def loss(self, batch):
        plain = KahnemanTversky(replace(self.settings, desirable_weight=1.0, undesirable_weight=1.0))
        return plain.loss(batch)


FAULTS = {
    "hinge trains as sigmoid": (HingeAsSigmoid, DirectPreference, PreferenceSettings(loss_type="hinge")),
    "weights of classes are ignored": (WithoutWeights, KahnemanTversky, UtilitySettings(desirable_weight=1.5, undesirable_weight=0.5)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_loss_that_is_another_than_was_asked_for_is_refused_before_anything_is_learnt(bench, preference_rows, judged_rows, fault):
    wrong, right, settings = FAULTS[fault]
    rows = judged_rows if right is KahnemanTversky else preference_rows
    with pytest.raises(TunesmithError, match="TS-TRAIN-090"):
        bench.train(SETTINGS, rows=rows, objective=wrong(settings), name="wrong")
    assert bench.series("loss") == []  # no step was made
    bench.train(SETTINGS, rows=rows, objective=right(settings), name="right")
    assert len(bench.series("loss")) == 3
    assert any("loss equal to its formula" in str(said) for method, said in bench.notices if method == "$/decision")


def test_a_loss_that_is_divided_by_the_micro_batches_once_more_is_refused(bench, preference_rows, monkeypatch):
    train = BatchLoss.train

    def divided(self, output, groups, beside, at, weight, *, penalised):
        value, *rest = train(self, output, groups, beside, at, weight, penalised=penalised)
        return value / len(beside.own), *rest

    monkeypatch.setattr(BatchLoss, "train", divided)
    with pytest.raises(TunesmithError, match=r"TS-TRAIN-090.*gradient of log_probs"):
        bench.train(SETTINGS, rows=preference_rows, objective=DirectPreference(PreferenceSettings()))
    assert bench.series("loss") == []


def test_looking_costs_next_to_nothing(bench, judged_rows, monkeypatch):
    """Of the first two batches; the others are not looked at. Measured against a whole step, of a model of two layers."""
    spent = {"look": 0.0}
    check = Witness.check

    def timed(self, loss, number):
        started = time.process_time()
        check(self, loss, number)
        spent["look"] += time.process_time() - started

    monkeypatch.setattr(Witness, "check", timed)
    started = time.process_time()
    bench.train({"max_steps": 12}, rows=judged_rows, objective=KahnemanTversky(UtilitySettings()))
    assert spent["look"] < 0.05 * (time.process_time() - started)
    assert torch.is_grad_enabled()
