"""What is told is read back from the offline file: records of the package's own protocol buffers in the format of LevelDB's log."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import textwrap

import pytest
import wandb
from wandb.proto.wandb_internal_pb2 import Record

from tunesmith.contracts import RunFacts, StepFacts, TunesmithError
from tunesmith_data.api import message
from tunesmith_sdk.testing.trackers import points, tell_completions
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_wandb import login
from tunesmith_wandb.settings import WandbSettings
from tunesmith_wandb.tracker import Wandb

PROVIDERS = {"adapter": {"name": "tilt", "settings": {"r": 16, "targets": ["q"]}}}
HEAD, BLOCK, LAST = 7, 2**15, (1, 4)  # bytes of the file's and of a record's head, of a block; kinds of a record's last part


@pytest.fixture(autouse=True)
def at_work(monkeypatch, tmp_path):
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_DIR", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.fixture
def tracker():
    return Wandb(WandbSettings())


@pytest.fixture
def step(tmp_path):
    return StepFacts(RunFacts("r1", "support", tmp_path, tmp_path), "tune", "train", settings={"num_train_epochs": 3}, providers=PROVIDERS)


def records(folder, pattern):
    wandb.teardown()  # its process goes on writing after a run's end
    (file,) = folder.glob(pattern)
    data, at, parts = file.read_bytes(), HEAD, []
    assert data[:4] == b":W&B"
    while at + HEAD <= len(data):
        if (left := BLOCK - at % BLOCK) < HEAD:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        parts.append(data[at + HEAD : at + HEAD + length])
        at += HEAD + length
        if kind in LAST:
            yield Record.FromString(b"".join(parts))
            parts = []


class Read:
    """An offline run as it was written."""

    def __init__(self, folder, attempt=1):
        found = list(records(folder, f"wandb/offline-run-*/run-*-{attempt}.wandb"))
        (self.run,) = (record.run for record in found if record.HasField("run"))
        self.config = {item.key: json.loads(item.value_json) for item in self.run.config.update if item.key != "_wandb"}
        self.rows = [_items(record.history.item) for record in found if record.HasField("history")]
        self.summary = {}
        for record in found:
            self.summary |= _items(record.summary.update)
        self.exit = [record.exit.exit_code for record in found if record.HasField("exit")]

    def series(self, name):
        return [(row["step"], row[name]) for row in self.rows if name in row]


def _items(items):
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def test_what_a_model_answered_is_a_table(tracker, step, tmp_path):
    tell_completions(tracker, step, tmp_path / "made")
    wandb.teardown()
    (file,) = tmp_path.glob("wandb/offline-run-*/files/media/table/*.json")
    assert json.loads(file.read_text())["data"] == [[0, "Who?", "Ann, 0 times"], [2, "Who?", "Ann, 2 times"]]


def test_points_settings_and_the_end_are_told(tracker, step, tmp_path):
    tracker.metrics_reported(step=step, points=points("loss", [3.0, 2.5]) + points("rate", [0.1]))
    tracker.metrics_reported(step=step, points=points("loss", [2.0], begin=2))
    tracker.step_finished(step=StepFacts(step.run, "tune", "train", metrics={"loss": 2.0}))
    found = Read(tmp_path)
    assert (found.series("loss"), found.series("rate")) == ([(0, 3.0), (1, 2.5), (2, 2.0)], [(0, 0.1)])
    assert found.config == {"num_train_epochs": 3, "adapter": "tilt", "adapter.r": 16, "adapter.targets": '["q"]'}
    assert (found.run.project, found.run.run_group, found.run.display_name) == ("support", "r1", "tune")
    assert (found.summary["final/loss"], found.exit) == (2.0, [0])


def test_each_attempt_is_a_run_of_its_own(tracker, step, tmp_path):
    tracker.metrics_reported(step=step, points=points("loss", [3.0, 99.0]))
    tracker.step_failed(step=step, error=TunesmithError("TINY-1", "broke"))
    again = StepFacts(step.run, "tune", "train", attempt=2)
    tracker.metrics_reported(step=again, points=points("loss", [2.0], begin=1))
    tracker.step_finished(step=again)
    first, second = Read(tmp_path), Read(tmp_path, attempt=2)
    assert (first.series("loss"), first.exit) == ([(0, 3.0), (1, 99.0)], [1])
    assert (second.series("loss"), second.exit) == ([(1, 2.0)], [0])


def test_who_is_not_logged_in_is_offline(monkeypatch, tmp_path):
    assert login.mode() == "offline"
    (tmp_path / "netrc").write_text("machine wandb.acme.example\n login user\n password key\n")
    assert login.mode() == "offline"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.acme.example")
    assert login.mode() is None


@pytest.mark.parametrize(("variable", "value"), [("WANDB_API_KEY", None), ("WANDB_MODE", "online")])
def test_the_packages_own_settings_count(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value or "key")
    assert login.mode() == value


def measured(tracker, step):
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    tracker.step_finished(step=StepFacts(step.run, "tune", "train", metrics={"loss": 2.0}))


@pytest.mark.parametrize("by", ["setting", "variable"])
def test_it_can_be_disabled(step, tmp_path, monkeypatch, by):
    if by == "variable":
        monkeypatch.setenv("WANDB_MODE", "disabled")
    measured(Wandb(WandbSettings(mode="disabled" if by == "setting" else None)), step)
    assert not [*tmp_path.rglob("*.wandb")]


def test_what_the_settings_say_is_told_and_counts_more_than_variables(step, tmp_path, monkeypatch):
    for name in ("PROJECT", "ENTITY", "MODE"):
        monkeypatch.setenv(f"WANDB_{name}", "disabled")
    about = {"project": "bot", "entity": "acme", "name": "night", "group": "week 7", "notes": "the long one"}
    measured(Wandb(WandbSettings(**about, tags=["a", "b"], mode="offline", dir="boards")), step)
    run = Read(tmp_path / "boards").run
    assert (run.project, run.entity, run.display_name, run.run_group, run.notes) == ("bot", "acme", "night/tune", "week 7", "the long one")
    assert list(run.tags) == ["a", "b"]


def test_a_step_that_is_cut_short_has_failed_at_the_runs_end(tracker, step, tmp_path):
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    tracker.run_finished(run=step.run, view=None)
    assert Read(tmp_path).exit == [1]


def test_a_server_that_is_not_there_is_tried_once_in_a_run(step):
    code = """
        import sys
        from pathlib import Path
        from tunesmith.contracts import MetricPoint, RunFacts, StepFacts
        from tunesmith_wandb import wandb_run
        from tunesmith_wandb.settings import WandbSettings
        from tunesmith_wandb.tracker import Wandb
        wandb_run.PATIENCE = 1.0
        tracker = Wandb(WandbSettings())
        step, points = StepFacts(RunFacts("r1", "support", Path(sys.argv[1])), "tune", "train"), [MetricPoint("loss", 3.0, 0)]
        for _ in range(2):
            try:
                tracker.metrics_reported(step, points)
            except Exception as error:
                print("failed", flush=True)
        tracker.step_finished(step)
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        server = {"WANDB_BASE_URL": f"http://127.0.0.1:{taken.getsockname()[1]}", "WANDB_API_KEY": "k" * 40, "no_proxy": "127.0.0.1"}
        command = [sys.executable, "-c", textwrap.dedent(code), str(step.run.directory)]
        told = subprocess.run(command, env=os.environ | server, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.count("failed") == 1


def test_its_library_is_not_imported_before_something_is_measured():
    code = "import sys, tunesmith_wandb.plugin, tunesmith_wandb.tracker; print('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


@pytest.mark.slow
def test_a_training_is_told(tmp_path, monkeypatch, capsys):
    from tunesmith_cli.main import main

    rows = [{"messages": [message("user", f"What is {n}?"), message("assistant", f"A number {n}.")]} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tiny_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    settings = ["--batch-size", "2", "--num-train-epochs", "2", "--adapter", "lora", "--adapter.r", "2"]
    assert main(["sft", "--model", "file://model", "--data", "rows.jsonl", *settings, "--track", "wandb", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    reported = [(line["at"], line["value"]) for line in lines if line.get("event") == "metric" and line["name"] == "loss"]
    found = records(tmp_path, ".tunesmith/runs/*/wandb/offline-run-*/run-*-sft-1.wandb")
    kept = [_items(record.history.item) for record in found if record.HasField("history")]
    assert len(reported) == 4
    assert [(row["step"], row["loss"]) for row in kept if "loss" in row] == reported
