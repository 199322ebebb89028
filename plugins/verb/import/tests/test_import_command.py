"""`tunesmith import` as it is typed: what it writes, tells and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_cli.api import main

GOOD = "model_name_or_path: tiny\nstage: sft\nfinetuning_type: lora\ndataset: talks\ntemplate: qwen\nlearning_rate: 1e-4\n"


@pytest.fixture(autouse=True)
def here(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("data", "tiny", "zero.json"):
        (tmp_path / name).symlink_to(place / name)
    return tmp_path


def test_the_pipeline_is_written_with_where_each_value_is_from(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a.yaml").write_text(GOOD)
    assert main(["import", "a.yaml", "--output", "tunesmith.yaml"]) == 0
    text = (here / "tunesmith.yaml").read_text()
    assert "learning_rate: 1e-4  # learning_rate, line 6" in text
    assert "lora_alpha: 16  # lora_alpha, a default of LLaMA-Factory; twice the rank" in text
    assert "tunesmith plan" in capsys.readouterr().out


def test_a_misspelt_key_ends_it_with_its_line_and_the_near_one(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a.yaml").write_text(GOOD + "lora_rnak: 8\n")
    assert main(["import", "a.yaml", "--output", "tunesmith.yaml"]) == 2
    said = capsys.readouterr().err
    assert "TS-IMPORT-003" in said
    assert "a.yaml:7" in said
    assert "Did you mean `lora_rank`?" in said
    assert not (here / "tunesmith.yaml").exists()
    assert main(["import", "a.yaml", "--allow-unknown"]) == 0
    assert "#   lora_rnak (7)" in capsys.readouterr().out


def test_a_refused_key_is_told_and_strict_writes_nothing(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a.yaml").write_text(GOOD + "use_badam: true\n")
    assert main(["import", "a.yaml"]) == 1
    assert "there is no such method" in capsys.readouterr().out
    assert main(["import", "a.yaml", "--strict", "--output", "b.yaml"]) == 2
    assert "TS-IMPORT-004" in capsys.readouterr().err
    assert not (here / "b.yaml").exists()


def test_json_has_the_pipeline_and_every_key(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a.yaml").write_text(GOOD)
    assert main(["import", "a.yaml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tool"] == "LLaMA-Factory"
    assert [key["key"] for key in found["keys"]][:6] == [
        "model_name_or_path",
        "stage",
        "finetuning_type",
        "dataset",
        "template",
        "learning_rate",
    ]
    assert sum(found["counts"].values()) == len(found["keys"])
    assert found["pipeline"]["steps"]["tune"]["settings"]["learning_rate"] == 1e-4


def test_a_file_of_nobody_is_refused_with_the_tools_that_are_known(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a.yaml").write_text("crust: thin\n")
    assert main(["import", "a.yaml"]) == 2
    assert "TS-IMPORT-002" in capsys.readouterr().err
    assert main(["import", "missing.yaml"]) == 2
    assert "TS-IMPORT-001" in capsys.readouterr().err


def test_what_is_there_is_not_written_over(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a.yaml").write_text(GOOD)
    assert main(["import", "a.yaml", "--output", "a.yaml"]) == 2
    assert "TS-IMPORT-006" in capsys.readouterr().err
    assert (here / "a.yaml").read_text() == GOOD


def test_an_export_is_no_training(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a.yaml").write_text("model_name_or_path: tiny\ntemplate: qwen\nexport_dir: out\n")
    assert main(["import", "a.yaml"]) == 2
    assert "TS-IMPORT-007" in capsys.readouterr().err


def test_a_dataset_that_is_not_in_dataset_info_is_told_with_the_near_one(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a.yaml").write_text(GOOD.replace("dataset: talks", "dataset: talk"))
    assert main(["import", "a.yaml"]) == 2
    assert "`talk`" in capsys.readouterr().err


def test_the_tools_are_listed_with_their_keys(capsys: pytest.CaptureFixture[str]):
    assert main(["import", "--tools"]) == 0
    assert "llamafactory" in capsys.readouterr().out
