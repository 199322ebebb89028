"""examples/datasets has a file of every format, which is read as the page on data says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_cli.main import main
from tunesmith_sdk.tiny_models import tiny_model

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "examples" / "datasets").glob("*.*"))
PAGE = (ROOT / "docs" / "datasets.md").read_text()
MULTIMODAL = {"vqa", "captioning", "ocr", "grounding", "transcription"}  #: their rows name files; their README has rows that are tried
DERIVED = {"unpaired-pairs"}  #: reads the rows of another format


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_read_in_the_format_that_it_is_named_after(path: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "inspect", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["unread"]) == (path.stem, {})
    assert re.search(rf"^\| \[[\w, -]*\b{path.stem}\b.*`{found['produces'][0]}` \|$", PAGE, re.M), "the page says what it becomes"


@pytest.mark.parametrize("name", ["labelled", "embedding", "stepwise"])
def test_rows_are_shown_as_tokens_without_a_word_on_how_they_would_be_trained_on(name: str, tmp_path: Path, monkeypatch, capsys) -> None:
    """Their objectives need something of a strategy, and of labels the names: not to show what the rows become."""
    monkeypatch.chdir(tmp_path)
    model = tiny_model(tmp_path / "model")
    rows = ROOT / "examples" / "datasets" / f"{name}.jsonl"
    assert main(["data", "preview", str(rows), "--model", str(model), "--json"]) == 0
    row, total = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["row"], bool(row["sequences"][0]["tokens"])) == (1, True)
    assert total["rows"] >= 1
    main(["runs", "list", "--json"])
    assert json.loads(capsys.readouterr().out) == [], "a look at data is none of the runs that somebody looks for"
    main(["runs", "list", "--all", "--json"])
    assert [run["pipeline"] for run in json.loads(capsys.readouterr().out)] == ["preview"]


def test_every_format_has_one(tmp_path: Path) -> None:
    formats = set(load_registry(load_config(tmp_path, home=tmp_path)).providers("dataset_format"))
    assert {path.stem for path in FILES} == formats - MULTIMODAL - DERIVED - {name for name in formats if name.startswith("acme")}
