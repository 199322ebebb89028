"""The kernel's verbs, each with a provider that does next to nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny_providers

from tunesmith.contracts import Artifact
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith.verbs import download, evaluate, export, quantize
from tunesmith.verbs.records import DownloadSettings


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
