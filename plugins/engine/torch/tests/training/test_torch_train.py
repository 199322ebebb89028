"""The verb `train`: what it learns, writes and reports, through its public entry."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.api.model import load_model
from tunesmith_torch.api.text import ChatTokenizer, load_tokenizer
from tunesmith_torch.plugin import METRICS


def test_training_lowers_the_loss(bench, chat_rows):
    _, result = bench.train({"num_train_epochs": 8, "learning_rate": 5e-3}, rows=chat_rows, adapter=Full(FullSettings()))
    losses = bench.series("loss")
    assert len(losses) == result.metrics["steps"] == 40
    assert losses[-1] < 0.6 * losses[0]
    assert result.metrics["train_loss"] == pytest.approx(sum(losses[-10:]) / 10)
    assert result.metrics.keys() == {name for name, metric in METRICS.items() if "with" not in metric}


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_preferences_are_learnt_with_either_reference(bench, preference_rows, adapter):
    chosen = Lora(LoraSettings(r=4)) if adapter == "lora" else Full(FullSettings())
    objective = DirectPreference(PreferenceSettings(beta=0.5))
    bench.train({"num_train_epochs": 6, "learning_rate": 5e-3}, rows=preference_rows, objective=objective, adapter=chosen)
    losses, accuracy = bench.series("loss"), bench.series("rewards/accuracy")
    assert losses[0] == pytest.approx(math.log(2), abs=1e-5)  # at the start the model is its own reference
    assert losses[-1] < 0.3
    assert accuracy[-1] == 1.0


@pytest.mark.parametrize(
    "setting", [{"max_tokens_per_microbatch": 1}, {"max_tokens_per_microbatch": 90}, {"gradient_checkpointing": True}], ids=str
)
def test_how_a_batch_is_computed_does_not_change_what_is_learnt(bench, chat_rows, setting):
    wanted, _ = bench.train({"max_steps": 4}, rows=chat_rows, name="whole")
    losses = bench.series("loss")
    got, _ = bench.train({"max_steps": 4, **setting}, rows=chat_rows, name="cut")
    assert bench.series("loss") == pytest.approx(losses, rel=1e-5)
    for name, value in load_file(wanted / "adapter_model.safetensors").items():
        torch.testing.assert_close(load_file(got / "adapter_model.safetensors")[name], value, rtol=1e-3, atol=1e-5)


def test_only_what_the_adapter_declares_trains(bench, chat_rows, tiny):
    output, result = bench.train({"max_steps": 3}, rows=chat_rows, adapter=Lora(LoraSettings(r=2, target_modules=["q_proj"])))
    saved = load_file(output / "adapter_model.safetensors")
    assert all(".q_proj." in name for name in saved)
    assert sum(value.numel() for value in saved.values()) == result.meta["trained_parameters"] == 2 * 2 * (64 + 64)


def test_full_training_writes_a_model_that_stands_alone(bench, chat_rows, tiny):
    output, result = bench.train({"max_steps": 2, "learning_rate": 1e-3}, rows=chat_rows, adapter=Full(FullSettings()))
    before, after = load_model(tiny), load_model(output)
    changed = [name for (name, a), b in zip(before.named_parameters(), after.parameters(), strict=True) if not torch.equal(a, b)]
    assert len(changed) == len(list(before.parameters()))
    assert result.refs == {}
    ChatTokenizer(load_tokenizer(output))


def test_an_adapter_refers_to_its_base(bench, chat_rows):
    output, result = bench.train({"max_steps": 1}, rows=chat_rows)
    assert result.refs == {"base": "sha256:base"}
    assert sorted(path.name for path in output.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "samples.jsonl", "training_log.jsonl",
    ]  # fmt: skip


def test_the_artifact_has_the_losses_and_neither_times_nor_paths(bench, chat_rows):
    output, _ = bench.train({"max_steps": 3}, rows=chat_rows)
    log = [json.loads(line) for line in (output / "training_log.jsonl").read_text().splitlines()]
    assert [point["loss"] for point in log] == bench.series("loss")
    assert {key for point in log for key in point} == {"step", "epoch", "loss", "grad_norm", "learning_rate"}
    assert not any(str(bench.home).encode() in path.read_bytes() for path in output.iterdir())


@pytest.mark.parametrize("adapter", [Lora(LoraSettings(lora_dropout=0.2)), Full(FullSettings())], ids=["lora", "full"])
def test_equal_steps_give_equal_bytes(bench, chat_rows, adapter):
    first, _ = bench.train({"max_steps": 3}, rows=chat_rows, name="first", adapter=adapter)
    second, _ = bench.train({"max_steps": 3}, rows=chat_rows, name="second", adapter=type(adapter)(adapter.settings))
    assert contents(first) == contents(second)


def test_another_seed_gives_another_adapter(bench, chat_rows):
    first, _ = bench.train({"max_steps": 1}, rows=chat_rows, name="first")
    second, _ = bench.train({"max_steps": 1}, rows=chat_rows, name="second", seed=8)
    assert contents(first)["adapter_model.safetensors"] != contents(second)["adapter_model.safetensors"]


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_bfloat16_trains_what_is_kept_in_float32(bench, chat_rows):
    bench.train({"max_steps": 6}, rows=chat_rows, name="exact")
    exact = bench.series("loss")
    output, _ = bench.train({"max_steps": 6, "dtype": "bfloat16"}, rows=chat_rows, name="rounded")
    assert bench.series("loss") == pytest.approx(exact, rel=0.02)
    assert all(value.dtype == torch.float32 for value in load_file(output / "adapter_model.safetensors").values())


def test_a_loss_that_is_no_number_stops_before_anything_is_written(bench, chat_rows):
    with pytest.raises(TunesmithError, match=r"TS-TRAIN-001.*step"):
        bench.train(
            {"num_train_epochs": 20, "learning_rate": 1e8, "max_grad_norm": 0, "warmup_ratio": 0},
            rows=chat_rows,
            adapter=Full(FullSettings()),
        )
    assert not list((bench.home / "tune" / "output").iterdir())


def test_long_rows_are_cut_and_counted(bench, chat_rows):
    bench.train({"max_steps": 1, "max_length": 55}, rows=chat_rows)
    (warning,) = [p["message"] for method, p in bench.notices if method == "$/log" and p["level"] == "warning"]
    assert "of 20 rows are longer than 55 tokens" in warning


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"max_length": 55, "truncation": "error"}, "TS-DATA-034"),
        ({"max_length": 5}, "TS-DATA-035"),
        ({"truncation": "drop", "max_length": 9}, "TS-DATA-035"),
    ],
)
def test_rows_that_do_not_fit_are_refused_when_none_is_left_or_on_demand(bench, chat_rows, settings, code):
    with pytest.raises(UserError, match=code):
        bench.train(settings, rows=chat_rows)


def test_a_row_without_an_answer_is_named(bench, chat_rows):
    rows = [*chat_rows[:2], {"messages": chat_rows[0]["messages"][:1]}]
    with pytest.raises(UserError, match=r"TS-DATA-033: Row 3: "):
        bench.train(rows=rows)


def test_decisions_are_told_with_their_reasons(bench, chat_rows):
    bench.train({"max_steps": 1, "dtype": "auto"}, rows=chat_rows)
    decisions = [p for method, p in bench.notices if method == "$/decision"]
    assert any(p["what"].startswith("dtype") and p["reason"] for p in decisions)
    assert any("packed" in p["what"] for p in decisions)


def test_progress_ends_at_the_last_step(bench, chat_rows):
    bench.train({"max_steps": 3}, rows=chat_rows)
    progress = [p for method, p in bench.notices if method == "$/progress" and p["what"] == "train"]
    assert (progress[0]["done"], progress[-1]["done"], progress[-1]["total"]) == (0, 3, 3)
