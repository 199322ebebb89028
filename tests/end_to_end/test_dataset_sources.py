"""Rows of each kind of source are trained on: two hubs on this machine, a database, a directory, and a dataset by its name."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith_sdk.testing.loopback_hub import STRANGERS
from tunesmith_sdk.tiny_models import tiny_model

LOADERS = Path(__file__).parents[2] / "plugins" / "model_loader"
ROWS = [{"question": f"How much is {n} + 1?", "answer": f"It is {n + 1}."} for n in range(12)]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
SETTINGS = {"dtype": "float32", "learning_rate": 0.02, "num_train_epochs": 3}
SOURCES = {
    "huggingface": "hf://datasets/org/sums:plain/train",
    "modelscope": "modelscope://datasets/org/sums",
    "database": "sqlite:///sums.db?query=SELECT question, answer FROM sums WHERE id < 12",
    "named": "our-sums",
}


def server(path: str, cls: str) -> Any:
    file = LOADERS / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, cls)()


@pytest.mark.slow
def test_rows_of_each_kind_of_source_are_trained_on(tmp_path: Path):
    tiny_model(tmp_path / "model")
    with sqlite3.connect(tmp_path / "sums.db") as database:
        database.execute("CREATE TABLE sums (id INTEGER, question TEXT, answer TEXT)")
        database.executemany("INSERT INTO sums VALUES (?, ?, ?)", [(n, row["question"], row["answer"]) for n, row in enumerate(ROWS)])
    database.close()
    (tmp_path / "texts").mkdir()
    for number, row in enumerate(ROWS):
        (tmp_path / "texts" / f"{number:02}.txt").write_text(" ".join(row.values()))
    named = {"name": "our-sums", "addresses": ["acme://gone", "hf://datasets/org/sums:plain/train"], "task": "math", "languages": ["en"],
             "format": "prompt-completion", "holds": {"question": "text", "answer": "text"}, "licence": "unknown", "rows": 12,
             "columns": {"prompt": "question", "completion": "answer"}}  # fmt: skip
    (tmp_path / "datasets.json").write_text(json.dumps({"datasets": [named]}))
    columns = {"prompt": "question", "completion": "answer"}
    steps: dict[str, Any] = {
        name: {
            "train": "sft",
            "adapter": "lora",
            "settings": SETTINGS,
            "data": address if name == "named" else {"path": address, "columns": columns},
        }
        for name, address in SOURCES.items()
    }
    steps["directory"] = {"train": "pretrain", "adapter": "lora", "settings": SETTINGS, "data": "texts"}
    (tmp_path / "tunesmith.yaml").write_text(yaml.safe_dump({"model": f"file://{tmp_path / 'model'}", "steps": steps}))
    with (
        server("huggingface/tests/hub_server.py", "HubServer") as hub,
        server("modelscope/tests/modelscope_server.py", "ModelScopeServer") as ms,
    ):
        half = JSONL.splitlines(keepends=True)
        hub.add("datasets/org/sums", {"README.md": b"---\nconfigs:\n- config_name: plain\n  data_files: train-*.jsonl\n---\n",
                                      "train-0.jsonl": b"".join(half[:6]), "train-1.jsonl": b"".join(half[6:])})  # fmt: skip
        ms.add("datasets/org/sums", {"train.jsonl": JSONL})
        kept = {name: value for name, value in os.environ.items() if name not in STRANGERS}
        folders = {"HF_HOME": "hf", "MODELSCOPE_CACHE": "ms", "TUNESMITH_CACHE": "cache", "TUNESMITH_HOME": "home"}
        places = {name: str(tmp_path / folder) for name, folder in folders.items()}
        places |= {"HF_ENDPOINT": hub.url, "MODELSCOPE_ENDPOINT": ms.url}
        typed = [sys.executable, "-m", "tunesmith_cli", "run", "--json"]
        done = subprocess.run(typed, cwd=tmp_path, env=kept | places, capture_output=True, text=True, check=False, timeout=540)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, (events[-1:], done.stderr[-3000:])
    finished = {step["step"]: step for event in events if event["event"] == "run_finished" for step in event["steps"]}
    for name in steps:
        adapter = Path(finished[name]["artifact"]["path"])
        losses = [json.loads(line)["loss"] for line in (adapter / "training_log.jsonl").read_text().splitlines()]
        assert losses[-1] < losses[0], name
    # what was read is the same, wherever it came from: one training, whose result the others share
    assert len({finished[name]["artifact"]["digest"] for name in ("huggingface", "modelscope", "named")}) == 1
