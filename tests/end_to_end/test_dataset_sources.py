"""Rows of each kind of source are trained on: hubs, a bucket, a database, directories, each kind of file, a dataset by its name."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith_sdk.testing.environments import environment_from
from tunesmith_sdk.testing.loopback_hub import STRANGERS
from tunesmith_sdk.tiny_models import tiny_model

LOADERS = Path(__file__).parents[2] / "plugins" / "model_loader"
ROWS = [{"question": f"How much is {n} + 1?", "answer": f"It is {n + 1}."} for n in range(12)]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
SETTINGS = {"dtype": "float32", "learning_rate": 0.02, "num_train_epochs": 3}
SOURCES = {
    "huggingface": "hf://datasets/org/sums:plain/train",
    "modelscope": "modelscope://datasets/org/sums",
    "modelers": "modelers://datasets/org/sums",
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
        server("modelers/tests/modelers_server.py", "ModelersServer") as modelers,
    ):
        half = JSONL.splitlines(keepends=True)
        hub.add("datasets/org/sums", {"README.md": b"---\nconfigs:\n- config_name: plain\n  data_files: train-*.jsonl\n---\n",
                                      "train-0.jsonl": b"".join(half[:6]), "train-1.jsonl": b"".join(half[6:])})  # fmt: skip
        ms.add("datasets/org/sums", {"train.jsonl": JSONL})
        modelers.add("datasets/org/sums", {"train.jsonl": JSONL})
        finished = run(tmp_path, HF_ENDPOINT=hub.url, MODELSCOPE_ENDPOINT=ms.url, OPENMIND_HUB_ENDPOINT=modelers.url)
    check(finished, steps)
    # what was read is the same, wherever it came from: one training, whose result the others share
    assert len({finished[name]["artifact"]["digest"] for name in ("huggingface", "modelscope", "modelers", "named")}) == 1


@pytest.mark.slow
def test_rows_of_each_kind_of_file_are_trained_on(tmp_path: Path):
    tiny_model(tmp_path / "model")
    for name, data in files().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    columns = {"prompt": "question", "completion": "answer"}
    tables = {name.replace(".", "-"): {"path": name, "columns": columns} for name in files() if name.startswith("rows.")}
    steps = {name: train("sft", data) for name, data in (tables | {"glob": {"path": "shards/*.jsonl", "columns": columns}}).items()}
    steps |= {"sharegpt": train("sft", "sharegpt.json"), "text": train("pretrain", "one.txt")}
    write(tmp_path, steps)
    finished = run(tmp_path)
    check(finished, steps)
    assert len({finished[name]["artifact"]["digest"] for name in (*tables, "glob")}) == 1


@pytest.mark.slow
@pytest.mark.isolated
def test_rows_of_a_bucket_are_trained_on(tmp_path: Path):
    tiny_model(tmp_path / "model")
    environment = environment_from("tunesmith_storage", ("s3fs>=2025.3", "moto[server]>=5"), tmp_path / "environments")
    library = next((environment.python.parents[1] / "lib").glob("python*/site-packages"))
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.path.append({str(library)!r})\n")  # behind what is installed here
    write(tmp_path, {"bucket": train("sft", {"path": "s3://rows/sums.jsonl", "columns": {"prompt": "question", "completion": "answer"}})})
    with bucket(environment.python, "rows/sums.jsonl", JSONL) as variables:
        finished = run(tmp_path, PYTHONPATH=str(tmp_path), **variables)
    check(finished, ["bucket"])


def files() -> dict[str, bytes]:
    """The same rows as each kind of file, and a few of other kinds."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import zstandard

    table, made = pa.Table.from_pylist(ROWS), {"rows.jsonl": JSONL, "rows.json": json.dumps(ROWS).encode()}
    for name, delimiter in (("rows.csv", ","), ("rows.tsv", "\t")):
        text = io.StringIO()
        writer = csv.DictWriter(text, ["question", "answer"], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)
        made[name] = text.getvalue().encode()
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    made["rows.parquet"], buffer = buffer.getvalue(), io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as out:
        out.write_table(table)
    lines = JSONL.splitlines(keepends=True)
    talks = [{"conversations": [{"from": "human", "value": row["question"]}, {"from": "gpt", "value": row["answer"]}]} for row in ROWS]
    return made | {
        "rows.arrow": buffer.getvalue(), "rows.jsonl.gz": gzip.compress(JSONL), "rows.jsonl.zst": zstandard.compress(JSONL),
        "shards/0.jsonl": b"".join(lines[:5]), "shards/1.jsonl": b"".join(lines[5:]), "sharegpt.json": json.dumps(talks).encode(),
        "one.txt": " ".join(f"{row['question']} {row['answer']}" for row in ROWS).encode(),
    }  # fmt: skip


def train(objective: str, data: Any) -> dict[str, Any]:
    return {"train": objective, "adapter": "lora", "settings": SETTINGS, "data": data}


def write(folder: Path, steps: Mapping[str, Any]) -> None:
    (folder / "tunesmith.yaml").write_text(yaml.safe_dump({"model": f"file://{folder / 'model'}", "steps": dict(steps)}))


def run(folder: Path, **variables: str) -> dict[str, Any]:
    """What the pipeline in `folder` has made: step -> what the last event says of it."""
    kept = {name: value for name, value in os.environ.items() if name not in STRANGERS}
    folders = {"HF_HOME": "hf", "MODELSCOPE_CACHE": "ms", "XDG_CACHE_HOME": "xdg", "TUNESMITH_CACHE": "cache", "TUNESMITH_HOME": "home"}
    places = {name: str(folder / place) for name, place in folders.items()}
    typed = [sys.executable, "-m", "tunesmith_cli", "run", "--json"]
    done = subprocess.run(typed, cwd=folder, env=kept | places | variables, capture_output=True, text=True, check=False, timeout=540)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, (events[-1:], done.stderr[-3000:])
    return {step["step"]: step for event in events if event["event"] == "run_finished" for step in event["steps"]}


def check(finished: Mapping[str, Any], steps: Any) -> None:
    """That something was learnt from each."""
    for name in steps:
        adapter = Path(finished[name]["artifact"]["path"])
        losses = [json.loads(line)["loss"] for line in (adapter / "training_log.jsonl").read_text().splitlines()]
        assert losses[-1] < losses[0], name


SERVER = """
import os, sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
url = "http://{}:{}".format(*server.get_host_and_port())
import s3fs
store = s3fs.S3FileSystem(endpoint_url=url)
bucket, _, _ = sys.argv[1].partition("/")
store.mkdir(bucket)
store.pipe_file(sys.argv[1], open(sys.argv[2], "rb").read())
print(url, flush=True)
sys.stdin.read()
"""


@contextmanager
def bucket(python: Path, path: str, data: bytes) -> Iterator[dict[str, str]]:
    """A server that speaks the S3 API, with one object; the variables that say where it is."""
    variables = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "two", "AWS_DEFAULT_REGION": "us-east-1"}
    held = python.parent / "object"
    held.write_bytes(data)
    started = subprocess.Popen([str(python), "-c", SERVER, path, str(held)], env=os.environ | variables, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        yield variables | {"AWS_ENDPOINT_URL": started.stdout.readline().strip()}
    finally:
        started.stdin.close()
        started.wait(30)
