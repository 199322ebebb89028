"""Pipelines that name trackers, planned and run with those that are installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_cli.main import main
from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import tiny_model

ROWS = [{"messages": [message("user", f"What is {n}?"), message("assistant", f"A number {n}.")]} for n in range(4)]
READ = "steps:\n  rows: {prepare: messages, from: rows.jsonl}\n"
TRAIN = """model: file://model
steps:
  tune: {train: sft, adapter: {lora: {r: 2}}, data: rows.jsonl, settings: {batch_size: 2, num_train_epochs: 1}}
"""
TRACK = "track:\n  tensorboard: {log_dir: boards}\n  wandb: {mode: offline, dir: weights}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(folder: Path, pipeline: str, capsys: pytest.CaptureFixture[str], *options: str, status: int = 0) -> str:
    (folder / "tunesmith.yaml").write_text(pipeline)
    assert main(["plan", *options]) == status
    said = capsys.readouterr()
    return said.out + said.err


def test_the_plan_says_who_is_told_and_nobody_is_who_is_not_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = planned(folder, READ + TRACK, capsys)
    assert "- track tensorboard: it will be told of the run, with log_dir: 'boards'" in said
    assert "track" not in planned(folder, READ, capsys)
    assert json.loads(planned(folder, READ, capsys, "--json"))["listeners"] == []
    (told,) = json.loads(planned(folder, READ, capsys, "--json", "--set", "track=mlflow"))["listeners"]
    assert (told["kind"], told["name"], told["distribution"]) == ("tracker", "mlflow", "tunesmith-mlflow")


def test_tunesmith_toml_names_them_for_all_pipelines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tunesmith.toml").write_text("[pipeline.track.tensorboard]\nlog_dir = 'boards'\n")
    assert "track tensorboard: it will be told of the run" in planned(folder, READ, capsys)
    assert "track" not in planned(folder, READ + "track: none\n", capsys)
    (folder / "tunesmith.toml").write_text("[pipeline.track.tensorboard]\nlog_dri = 'boards'\n")
    said = planned(folder, READ, capsys, status=2)
    assert "TS-SPEC-020: tunesmith.toml: pipeline.track.tensorboard.log_dri" in said
    assert "Did you mean `log_dir`?" in said


@pytest.mark.slow
def test_those_that_are_named_write_and_those_that_are_not_write_nothing(folder: Path) -> None:
    tiny_model(folder / "model")
    (folder / "tunesmith.toml").write_text(f"[pipeline.track.mlflow]\ntracking_uri = 'sqlite:///{folder}/runs.db'\n")
    (folder / "tunesmith.yaml").write_text(TRAIN + TRACK)
    before = {path.name for path in folder.iterdir()} | {".tunesmith"}
    assert main(["run"]) == 0
    assert [*folder.glob("boards/*/tune/events.out.tfevents.*")]
    assert [*folder.glob("weights/wandb/offline-run-*/*.wandb")]
    assert {path.name for path in folder.iterdir()} - before == {"boards", "weights"}, "the pipeline's replace the project's"
    (folder / "tunesmith.yaml").write_text(TRAIN)
    assert main(["run", "--refresh", "--set", "track=none"]) == 0
    assert len([*folder.glob("boards/*")]) == len([*folder.glob("weights/wandb/offline-run-*")]) == 1
    assert not (folder / "runs.db").exists()
    assert main(["run", "--refresh"]) == 0
    assert (folder / "runs.db").exists()
