"""The kernel's verbs, each with a provider that does next to nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny_providers

from tunesmith.contracts import Artifact, TunesmithError, UserError, read_rows
from tunesmith.isolation.step import WorkerStep
from tunesmith.verbs import download, evaluate, export, mix, prepare, quantize
from tunesmith.verbs.records import DownloadSettings, MixSettings, PrepareSettings


def make(tmp_path: Path, slot: str, provider: Any, **more: Any) -> WorkerStep:
    (tmp_path / "output").mkdir()
    return WorkerStep(name="it", output=tmp_path / "output", work=tmp_path, providers={slot: provider}, **more)


@pytest.fixture
def model(tmp_path: Path) -> Artifact:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("abcdef")
    return Artifact("model/text", tmp_path / "model", "sha256:0")


@pytest.fixture
def rows(tmp_path: Path) -> Artifact:
    (tmp_path / "rows").mkdir()
    row = tiny_providers.Pairs().convert({"q": "why?", "a": "so"})
    (tmp_path / "rows" / "rows.jsonl").write_text(json.dumps(row) + "\n")
    return Artifact("dataset/chat", tmp_path / "rows")


def test_download_fetches_what_was_resolved(tmp_path: Path) -> None:
    step = make(tmp_path, "model_loader", tiny_providers.Shelf(), settings=DownloadSettings("shelf://a"))
    step.settings = DownloadSettings(**download.resolve(step).meta)
    result = download.run(step)
    assert result.format == "model/text"
    assert result.meta == {"uri": "shelf://a", "revision": "r1", "config": {"hidden_size": 8}}
    assert (step.output / "weights").read_text() == "shelf://a"


def _prepare(tmp_path: Path, text: str, name: str = "data.jsonl") -> tuple[Any, WorkerStep]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    step = make(
        tmp_path, "dataset_format", tiny_providers.Pairs(), settings=PrepareSettings(), inputs={"file": Artifact("file", tmp_path / name)}
    )
    return prepare.run(step), step


@pytest.mark.parametrize(
    "text",
    [
        '{"q": "a", "a": "bé"}\n\n{"q": "cc", "a": "d"}\n',
        '[{"q": "a", "a": "bé"},\n {"q": "cc", "a": "d"}]',
        '\ufeff[{"q":"a","a":"bé"},{"q":"cc","a":"d"}]',
    ],
    ids=["lines", "list", "list with a byte order mark"],
)
def test_prepare_writes_rows_and_counts_them(tmp_path: Path, text: str) -> None:
    result, step = _prepare(tmp_path, text)
    assert result.format == "dataset/chat"
    assert result.meta == {"rows": 2, "characters": 6, "longest": 3}
    assert [row["messages"][1]["content"][0]["text"] for row in read_rows(step.output)] == ["bé", "d"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ('{"q": "a", "a": "b"}\n{"q": "a", "a"', "TS-DATA-003", "data.jsonl:2:"),
        ('[{"q": "a", "a": "b"},\n\n{"q": }]', "TS-DATA-003", "data.jsonl:3:"),
        ('{"q": "a", "a": "b"}\n{"q": "a", "a": ""}\n', "TS-DATA-020", "data.jsonl:2:"),
        ('{"q": "a", "a": "b"}\n{"q": "a"}\n', "TS-DATA-003", "data.jsonl:2:"),
        ("\n\n", "TS-DATA-002", "no rows"),
        ("[]", "TS-DATA-002", "no rows"),
    ],
)
def test_prepare_names_file_and_line_of_what_is_wrong(tmp_path: Path, text: str, code: str, place: str) -> None:
    with pytest.raises(UserError) as caught:
        _prepare(tmp_path, text)
    assert caught.value.code == code
    assert place in caught.value.what
    assert caught.value.fix


def test_prepare_lists_several_broken_rows_at_once(tmp_path: Path) -> None:
    with pytest.raises(TunesmithError) as caught:
        _prepare(tmp_path, '{"q": "a", "a": ""}\n' * 8)
    assert "line 2: the answer is empty" in caught.value.why
    assert "and 3 more" in caught.value.why


def test_prepare_says_that_a_file_holds_no_rows_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="TS-DATA-006"):
        _prepare(tmp_path, "question,answer\nwhy,so\n", "table.csv")


@pytest.mark.parametrize("weights", [[1.0], [0.0, 1.0], [1.0, -1.0], [1.0, 1.0, 1.0]])
def test_mix_refuses_weights_that_are_not_one_above_zero_for_each(tmp_path: Path, rows: Artifact, weights: list[float]) -> None:
    step = make(tmp_path, "", None, inputs={"rows": rows, "rows.2": rows}, settings=MixSettings(weights))
    with pytest.raises(UserError, match="TS-DATA-066"):
        mix.run(step)


def test_quantize_calibrates_and_keeps_the_config(tmp_path: Path, model: Artifact, rows: Artifact) -> None:
    step = make(tmp_path, "quantizer", tiny_providers.Shorter(), inputs={"model": model, "data": rows})
    result = quantize.run(step)
    assert (step.output / "weights").read_text() == "ace"
    assert (result.metrics, result.meta) == ({"rows": 1}, {"config": {}})


def test_export_writes_what_the_exporter_makes(tmp_path: Path, model: Artifact) -> None:
    step = make(tmp_path, "exporter", tiny_providers.Card(), inputs={"model": model})
    export.run(step)
    assert (step.output / "card.md").read_text() == "model/text"


def test_evaluate_writes_metrics_and_samples(tmp_path: Path, model: Artifact, rows: Artifact) -> None:
    step = make(tmp_path, "evaluator", tiny_providers.Letters(), inputs={"model": model, "data": rows})
    assert evaluate.run(step).metrics == {"letters": 6.0}
    assert json.loads((step.output / "metrics.json").read_text()) == {"letters": 6.0}
    assert (step.output / "samples.jsonl").read_text() == '{"prompt": "why?", "answer": "é", "score": 1.0}\n'
