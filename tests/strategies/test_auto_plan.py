"""`strategy: auto` in a plan: one process where one device does, a process for each of several, and what was not taken is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_cli.main import main
from tunesmith_sdk.tiny_models import tiny_model

PIPELINE = "model: file://model\nsteps:\n  tune: {train: sft, adapter: lora, data: rows.jsonl}\n"
ROW = {"messages": [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "A plugin."}]}
SIZES = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 4}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    tiny_model(tmp_path / "model", **SIZES)
    (tmp_path / "rows.jsonl").write_text((json.dumps(ROW) + "\n") * 8)
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()

    def told(*words: str):
        assert main(["plan", *words, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        return next(step for step in found["steps"] if step["name"] == "tune"), found

    return told


def test_on_one_processor_it_is_one_process_and_nothing_else_is_asked(plan):
    step, _ = plan()
    assert step["providers"]["strategy"]["name"] == "single"
    assert step["alternatives"] == []


def test_for_cards_that_are_not_here_each_way_has_its_figures_and_a_reason(plan):
    step, found = plan("--on", "4xA100-80")
    ways = step["alternatives"]
    assert {way["provider"] for way in ways} >= {"single", "ddp", "fsdp", "deepspeed"}
    assert {way["processes"] for way in ways if way["provider"] != "single"} == {4}
    assert [way["provider"] for way in ways if way["taken"]] == [step["providers"]["strategy"]["name"]]
    assert all(way["verdict"] for way in ways)
    assert all(way["memory"] > 0 and way["seconds"] > 0 for way in ways if way["provider"] in ("single", "ddp", "fsdp", "deepspeed"))
    sent = {way["provider"]: way["sent"] for way in ways}
    assert sent["single"] == 0 < sent["ddp"]
    decisions = {decision["what"] for decision in found["decisions"] if decision["step"] == "tune"}
    assert sum(what.startswith("strategy: not ") for what in decisions) == len(ways) - 1
    assert step["device"] == "cuda"
    assert any(decision["what"] == "planned for 4xA100-80" for decision in found["decisions"])


def test_a_card_that_nobody_knows_is_an_error_with_one_that_is_near(plan, capsys):
    assert main(["plan", "--on", "2xA100-90"]) == 2
    error = capsys.readouterr().err
    assert "TS-PLAN-007" in error
    assert "Did you mean `A100" in error


def test_a_card_of_another_backend_than_the_pipeline_asks_for_is_told(plan, capsys):
    assert main(["plan", "--on", "A10", "--set", "device=cpu"]) == 2
    assert "--on A10 is a card of `cuda`, and the pipeline asks for `cpu`" in capsys.readouterr().err


def test_a_quantized_base_is_not_divided(plan):
    Path("tunesmith.yaml").write_text(PIPELINE.replace("lora", "qlora"))
    step, _ = plan("--on", "2xA100-80")
    reasons = {way["provider"]: way["verdict"] for way in step["alternatives"]}
    assert "`parallel.shards`" in reasons["fsdp"]
    assert "`parallel.shards`" in reasons["deepspeed"]
    assert step["providers"]["strategy"]["name"] in ("single", "ddp")


@pytest.mark.parametrize("strategy", ["{fsdp: {num_processes: 2}}", "{deepspeed: {num_processes: 2, stage: 3}}"])
def test_a_start_that_has_to_see_values_is_refused_where_processes_have_pieces(plan, capsys, strategy):
    changes = ["--set", "steps.tune.adapter={lora: {init_lora_weights: eva}}", "--set", f"steps.tune.strategy={strategy}"]
    assert main(["plan", *changes]) == 2
    assert "TS-TRAIN-073" in capsys.readouterr().err
    step, _ = plan(*changes[:2], "--set", "steps.tune.strategy={ddp: {num_processes: 2}}")
    assert step["providers"]["strategy"]["name"] == "ddp"
    step, _ = plan(*changes[:2], "--on", "4xA100-80")
    told = {way["provider"]: way["verdict"] for way in step["alternatives"]}
    assert "has to see the model's values" in told["fsdp"]
    assert step["providers"]["strategy"]["name"] != "fsdp"
