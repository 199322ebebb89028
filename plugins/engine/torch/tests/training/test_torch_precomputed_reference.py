"""The reference's log-probabilities, computed once: the same training, without a pass of the reference, and for other runs, too."""

from __future__ import annotations

import pytest

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_kto.objective import KahnemanTversky
from tunesmith_kto.settings import UtilitySettings
from tunesmith_sdk.testing.model_configs import llama
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.estimate.memory import train as estimate
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.trainable_model import TrainableModel

ONCE = {"precompute_ref_log_probs": True}


@pytest.fixture
def passes(monkeypatch):
    """How often something is computed as before training."""
    counted, before = [], TrainableModel.before_training

    def count(self, adapter):
        counted.append(1)
        return before(self, adapter)

    monkeypatch.setattr(TrainableModel, "before_training", count)
    return counted


def dpo(**settings) -> DirectPreference:
    return DirectPreference(PreferenceSettings(**settings))


def losses(bench, settings, **more) -> list[float]:
    bench.notices.clear()
    bench.train({"num_train_epochs": 2, "validation_split": 0.2} | settings, **more)
    return [*bench.series("loss"), *bench.series("validation_loss"), *bench.series("kl")]


def found_again(bench) -> bool:
    return any("found from an earlier run" in str(notice) for notice in bench.notices)


def test_training_is_the_same_and_makes_no_pass_of_the_reference(bench, preference_rows, passes):
    """Also where pairs are cut differently into micro-batches, and one is cut by `max_length`."""
    cut = {"max_length": 24, "truncation": "truncate"}
    usual = losses(bench, cut, rows=preference_rows, objective=dpo())
    there = len(passes)
    once = losses(bench, cut | ONCE | {"max_tokens_per_microbatch": 40}, rows=preference_rows, objective=dpo(), name="once")
    assert once == pytest.approx(usual, abs=1e-6)
    assert len(passes) - there == 1  # for all rows together


def test_the_average_of_answers_to_other_prompts_is_the_same(bench, judged_rows, passes):
    """`kto` reads the reference of answers that are only measured, too."""
    usual = losses(bench, {}, rows=judged_rows, objective=KahnemanTversky(UtilitySettings()))
    once = losses(bench, ONCE, rows=judged_rows, objective=KahnemanTversky(UtilitySettings()), name="once")
    assert once == pytest.approx(usual, abs=1e-6)


@pytest.mark.parametrize("adapter", [None, Full(FullSettings())], ids=["lora", "full"])
def test_another_run_finds_them_whatever_its_settings(bench, preference_rows, passes, adapter, tmp_path):
    shared = {"rows": preference_rows, "adapter": adapter, "cache": tmp_path / "cache"}
    losses(bench, ONCE, objective=dpo(), **shared)
    there = len(passes)
    other = {"learning_rate": 5e-3, "seed": 3, "name": "other"}
    again = losses(bench, ONCE | {"learning_rate": 5e-3}, objective=dpo(beta=0.3), seed=3, name="again", **shared)
    assert found_again(bench)
    assert len(passes) == there
    usual = losses(bench, {"learning_rate": 5e-3}, objective=dpo(beta=0.3), seed=3, name="usual", **shared)
    assert again == pytest.approx(usual, abs=1e-6), other


def test_other_rows_and_another_reference_are_computed_anew(bench, preference_rows, tmp_path):
    shared = {"objective": dpo(), "cache": tmp_path / "cache"}
    losses(bench, ONCE, rows=preference_rows, **shared)
    losses(bench, ONCE, rows=preference_rows[:-1], name="fewer", **shared)
    assert not found_again(bench)
    other = Artifact("model/hf", tiny_model(tmp_path / "other", seed=5), digest="sha256:other")
    bench.before = lambda step: step.inputs.update(reference=other)
    given = losses(bench, ONCE, rows=preference_rows, name="given", **shared)
    assert not found_again(bench)
    assert losses(bench, ONCE, rows=preference_rows, name="again", **shared) == given
    assert found_again(bench)
    assert given == pytest.approx(losses(bench, {}, rows=preference_rows, name="usual", **shared), abs=1e-6)


def test_without_a_reference_it_is_refused_by_the_plan_and_by_the_step(bench, chat_rows):
    with pytest.raises(UserError, match="compares with no reference") as caught:
        bench.train(ONCE, rows=chat_rows)
    assert caught.value.code == "TS-TRAIN-074"
    with pytest.raises(UserError, match="compares with no reference"):
        asked(ONCE, {"reference": 0.0})


def asked(settings, objective):
    config = llama(layers=2, hidden=64, intermediate=128, heads=4, kv_heads=2, vocabulary=1000, positions=512)
    values = vars(TrainSettings(**settings))
    return estimate(EstimateRequest(config, step_settings=values, parts={"objective": objective}, data={"rows": 100, "characters": 40000}))


def test_the_plan_says_what_is_kept(bench):
    said = [what for what, _ in asked(ONCE, {"reference": 1.0, "sequences": 2.0}).decisions]
    assert "the reference's log-probabilities are computed once, before the first step" in said
