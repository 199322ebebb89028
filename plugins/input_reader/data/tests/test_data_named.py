"""Named datasets: whose table counts, from where one comes, and what is said where it can't be had."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tunesmith.errors import UserError
from tunesmith_data.named.table import named_datasets, read_table
from tunesmith_data.sources.fetched import local

ENTRY: dict[str, Any] = {
    "name": "tickets", "addresses": ["shelf://one", "other://two"], "task": "chat", "languages": ["en"], "format": "prompt-completion",
    "holds": {"ask": "text", "reply": "text"}, "columns": {"prompt": "ask", "completion": "reply"}, "licence": "unknown", "rows": None,
}  # fmt: skip
SOURCES = {
    name: SimpleNamespace(name=name, facts={"schemes": [name]}, identity={"name": name}, distribution="acme", kind="dataset_source")
    for name in ("shelf", "other")
}


@pytest.fixture
def planner(tmp_path):
    """What a reader may ask: sources that are not reached; ``planner.reached.add(address)``."""
    (tmp_path / "datasets.json").write_text(json.dumps({"datasets": [ENTRY]}))
    reached: set[str] = set()

    def ask(question: Any) -> dict[str, Any]:
        address = question.settings["address"]
        if address not in reached:
            raise UserError("TS-MODEL-002", f"{address} can't be reached.", fix="Fetch it by hand.")
        path = tmp_path / (address.rpartition("/")[2] + ".jsonl")
        path.write_text("{}\n")
        return {"path": str(path), "revision": "1", "size": 3}

    return SimpleNamespace(base=tmp_path, memory={}, installed=lambda kind: SOURCES, ask=ask, reached=reached)


def test_a_name_is_the_first_address_that_can_be_reached_with_its_columns(planner, tmp_path):
    planner.reached.add("other://two")
    assert local("tickets", planner) == (tmp_path / "two.jsonl", ENTRY["columns"])
    planner.reached.add("shelf://one")
    assert local("tickets", planner).path == tmp_path / "one.jsonl"


def test_what_can_be_had_nowhere_says_what_to_fetch_and_where_to_put_it(planner, tmp_path):
    with pytest.raises(UserError, match="TS-DATA-093") as caught:
        local("tickets", planner)
    assert "shelf://one can't be reached. Fetch it by hand." in caught.value.why
    assert "other://two" in caught.value.why
    assert str(tmp_path / "datasets/tickets") in caught.value.fix
    assert "{path: FILE, columns: {prompt: ask, completion: reply}}" in caught.value.fix
    (tmp_path / "datasets/tickets").mkdir(parents=True)
    (tmp_path / "datasets/tickets/rows.parquet").write_text("")
    assert local("tickets", planner) == (tmp_path / "datasets/tickets/rows.parquet", ENTRY["columns"])
    (tmp_path / "datasets/tickets/more.parquet").write_text("")
    with pytest.raises(UserError, match=r"TS-DATA-093.*2 files"):
        local("tickets", planner)


def test_a_file_of_the_name_comes_first_and_a_misspelt_name_is_told(planner, tmp_path):
    (tmp_path / "tickets").write_text("{}\n")
    assert local("tickets", planner) == (tmp_path / "tickets", {})
    with pytest.raises(UserError, match="TS-DATA-092") as caught:
        local("tickts", planner)
    assert "`tickets`" in caught.value.fix
    for text in ("nothing-of-the-kind", "tickts.jsonl", "folder/tickts"):
        assert local(text, planner).path == tmp_path / text


def test_the_project_s_own_comes_before_a_plugin_s_and_that_before_ours(tmp_path, monkeypatch):
    package = tmp_path / "site/acme_tables"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('a table is read without importing its plugin')")
    (package / "datasets.json").write_text(json.dumps({"datasets": [ENTRY, {**ENTRY, "name": "alpaca", "licence": "acme"}]}))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    source: Any = SimpleNamespace(facts={"datasets": "acme_tables:datasets.json"}, distribution="acme-tables")
    found = named_datasets([source], tmp_path)
    assert (found["alpaca"].brought_by, found["tickets"].brought_by, found["gsm8k"].brought_by) == (
        "acme-tables",
        "acme-tables",
        "tunesmith-data",
    )
    (tmp_path / "datasets.json").write_text(json.dumps({"datasets": [{**ENTRY, "licence": "mine"}]}))
    assert named_datasets([source], tmp_path)["tickets"].licence == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "can't be read"),
        ('{"datasets": {}}', "datasets"),
        (json.dumps({"datasets": [{**ENTRY, "name": "A B"}]}), "name"),
        (json.dumps({"datasets": [{**ENTRY, "addresses": []}]}), "addresses"),
        (json.dumps({"datasets": [{key: value for key, value in ENTRY.items() if key != "licence"}]}), "licence"),
        (json.dumps({"datasets": [{**ENTRY, "license": "mit"}]}), "license"),
    ],
)
def test_a_table_that_is_none_is_told(tmp_path: Path, text: str, said: str):
    (tmp_path / "datasets.json").write_text(text)
    with pytest.raises(UserError, match="TS-DATA-092") as caught:
        read_table(tmp_path / "datasets.json", "me")
    assert said in caught.value.what
