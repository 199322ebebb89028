"""`tunesmith run --on`: cards that are not here are planned for only where an executor's machines have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_cli.main import main

PIPELINE = "model: file://model\n{}steps:\n  card: {{export: safetensors, executor: {}}}\n"


@pytest.mark.parametrize(("top", "step"), [("", "local"), ("executor: local\n", "local")])
def test_cards_that_are_not_here_are_refused_for_a_run_that_stays_here(top: str, step: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE.format(top, step))
    assert main(["run", "--on", "A10"]) == 2
    assert "TS-CLI-002" in capsys.readouterr().err


@pytest.mark.parametrize(("top", "step"), [("executor: slurm\n", "local"), ("", "{slurm: {}}")])
def test_where_an_executor_takes_steps_it_is_the_plan_that_judges_them(top: str, step: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE.format(top, step))
    assert main(["run", "--on", "A10"]) == 2
    said = capsys.readouterr().err
    assert "TS-CLI-002" not in said
    assert "TS-MODEL" in said  # there is no such model
