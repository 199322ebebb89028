"""Validation while training: it changes nothing that is trained on, chooses what is saved, and ends what gets no better."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from tunesmith.contracts import Cancelled
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.plugin import METRICS
from tunesmith_torch.training.early_stopping import EarlyStopping, early_stopping
from tunesmith_torch.training.validation import validation_split


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_validation_changes_nothing_that_is_learnt(bench, chat_rows, preference_rows, objective):
    rows = chat_rows if objective == "sft" else preference_rows
    chosen = DirectPreference(PreferenceSettings()) if objective == "dpo" else None
    adapter = {"adapter": Lora(LoraSettings(r=4, lora_dropout=0.2)), "objective": chosen}
    settings = {"num_train_epochs": 2, "max_steps": 6, "load_best_model_at_end": False}
    without, _ = bench.train(settings, rows=rows, name="without", **adapter)
    losses = bench.series("loss")
    watched, _ = bench.train({**settings, "eval_steps": 2}, rows=rows, validation=rows[:5], name="watched", **adapter)
    assert bench.series("loss") == losses
    assert (watched / "adapter_model.safetensors").read_bytes() == (without / "adapter_model.safetensors").read_bytes()
    assert len(bench.series("validation_loss")) == 3
    assert bench.series("validation_rewards/accuracy") or objective == "sft"


def test_the_validation_loss_is_that_of_training_on_the_same_rows(bench, chat_rows):
    bench.train({"max_steps": 1, "learning_rate": 1e-12}, rows=chat_rows[:4], validation=chat_rows[:4])
    assert bench.series("validation_loss") == pytest.approx(bench.series("loss"), rel=1e-5)


def test_it_comes_at_the_end_of_each_epoch_or_as_often_as_asked_and_at_the_end(bench, chat_rows):
    for settings, wanted in (({"num_train_epochs": 2}, [5, 10]), ({"num_train_epochs": 2, "eval_steps": 4}, [4, 8, 10])):
        bench.notices.clear()
        bench.train(settings, rows=chat_rows, validation=chat_rows[:3], name=str(settings))
        assert [p["at"] for method, p in bench.notices if method == "$/metric" and p["name"] == "validation_loss"] == wanted


def overfitted(bench, chat_rows, **settings):
    """Rows to judge by that contradict those that are trained on: the validation loss has its least in the middle."""
    other = [{"messages": [row["messages"][0], chat_rows[at - 7]["messages"][1]]} for at, row in enumerate(chat_rows[:8])]
    settings = {
        "num_train_epochs": 24,
        "learning_rate": 1e-2,
        "lr_scheduler_type": "constant",
        "warmup_ratio": 0.0,
        "eval_steps": 3,
    } | settings
    return bench.train(settings, rows=chat_rows[:8], validation=other, adapter=full())


def full():
    return Full(FullSettings())


def test_what_is_saved_is_the_best(bench, chat_rows):
    output, result = overfitted(bench, chat_rows)
    losses = bench.series("validation_loss")
    best = 3 * (losses.index(min(losses)) + 1)
    assert 3 <= best < 48
    assert (result.metrics["best_step"], result.metrics["validation_loss"]) == (best, min(losses))
    assert result.metrics.keys() == METRICS.keys()
    assert any(f"after step {best} are saved" in p.get("what", "") for _, p in bench.notices)
    bench.before = lambda step: shutil.rmtree(step.work)
    short, _ = overfitted(bench, chat_rows, max_steps=best, load_best_model_at_end=False)
    assert (output / "model.safetensors").read_bytes() == (short / "model.safetensors").read_bytes()


def test_the_last_is_saved_where_that_is_asked_for(bench, chat_rows):
    _, result = overfitted(bench, chat_rows, load_best_model_at_end=False)
    assert result.metrics["validation_loss"] == bench.series("validation_loss")[-1]
    assert not (bench.home / "tune" / "work" / "best").exists()


def test_training_stops_when_patience_is_over_and_says_why(bench, chat_rows):
    _, result = overfitted(bench, chat_rows, early_stopping_patience=2)
    losses = bench.series("validation_loss")
    assert len(losses) - 1 - losses.index(min(losses)) == 2
    assert result.metrics["steps"] == 3 * len(losses) < 48
    (why,) = [p["reason"] for method, p in bench.notices if method == "$/decision" and p["what"].startswith("stopped after")]
    assert "did not fall in 2 validations" in why


def test_interrupted_and_resumed_it_decides_and_saves_the_same(bench, chat_rows):
    settings = {"early_stopping_patience": 2, "save_steps": 2}
    whole, result = overfitted(bench, chat_rows, **settings)
    kept = contents(whole)
    shutil.rmtree(bench.home / "tune")
    for checks in (12, 23, 9):
        left = checks

        def count():
            nonlocal left
            left -= 1
            if left < 0:
                raise Cancelled("tune")

        bench.before = lambda step: setattr(step, "check_cancelled", count)
        with pytest.raises(Cancelled):
            overfitted(bench, chat_rows, **settings)
        shutil.rmtree(bench.home / "tune" / "output")
    bench.before = lambda step: None
    resumed, again = overfitted(bench, chat_rows, **settings)
    assert any("resumed at step" in p.get("message", "") for _, p in bench.notices)
    assert contents(resumed) == kept
    assert again == result


def test_a_share_of_the_rows_is_held_out_by_the_seed(bench, chat_rows):
    _, result = bench.train({"max_steps": 1, "validation_split": 0.25}, rows=chat_rows)
    assert (result.meta["rows"], result.meta["validation_rows"]) == (15, 5)
    assert validation_split(20, 0.25, 7) == validation_split(20, 0.25, 7) != validation_split(20, 0.25, 8)
    assert len(validation_split(2, 0.01, 0)) == 1
    assert validation_split(1, 0.5, 0) == validation_split(20, 0.0, 0) == []


def test_a_share_of_one_row_validates_nothing_and_says_so(bench, chat_rows):
    _, result = bench.train({"max_steps": 1, "validation_split": 0.5}, rows=chat_rows[:1])
    assert "validation_rows" not in result.meta
    (said,) = (p for method, p in bench.notices if method == "$/decision" and p["what"] == "no validation")
    assert "`validation_split`" in said["reason"]


def test_the_log_of_the_artifact_has_the_validations(bench, chat_rows):
    output, _ = bench.train({"max_steps": 4, "eval_steps": 2}, rows=chat_rows, validation=chat_rows[:2])
    log = [json.loads(line) for line in (output / "training_log.jsonl").read_text().splitlines()]
    assert [point["validation_loss"] for point in log if "validation_loss" in point] == bench.series("validation_loss")


def test_patience_counts_from_the_last_fall_that_is_large_enough():
    history = [{"step": n, "validation_loss": loss} for n, loss in enumerate([3.0, 2.0, 1.95, 1.9, 1.7, 1.69], 1)]
    assert early_stopping(history, 0.2) == EarlyStopping(6, 1.69, 1)
    assert early_stopping(history, 0.0) == EarlyStopping(6, 1.69, 0)
    assert early_stopping(history, 5.0).waited == 5
    assert early_stopping([{"step": 1, "loss": 1.0}], 0.0) == EarlyStopping(0, math.inf, 0)
