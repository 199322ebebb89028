"""What is written is read back by TensorBoard's own reader."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata

from tunesmith.contracts import RunFacts, StepFacts, TunesmithError
from tunesmith_data.api import message
from tunesmith_sdk.testing.trackers import points, tell_completions
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_tensorboard.settings import TensorBoardSettings
from tunesmith_tensorboard.tracker import TensorBoard

PROVIDERS = {"adapter": {"name": "tilt", "settings": {"r": 16, "targets": ["q"]}}}


@pytest.fixture
def tracker():
    return TensorBoard(TensorBoardSettings())


@pytest.fixture
def step(tmp_path):
    return StepFacts(
        RunFacts("r1", "support", tmp_path, tmp_path),
        "tune",
        "train",
        settings={"num_train_epochs": 3, "packed": True},
        providers=PROVIDERS,
    )


def read(folder):
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def series(folder, name):
    return [(event.step, event.value) for event in read(folder).Scalars(name)]


def told(folder, tag):
    return metadata.parse_session_start_info_plugin_data(read(folder).SummaryMetadata(tag).plugin_data.content)


def test_points_can_be_read_while_the_step_runs(tracker, step, tmp_path):
    tracker.metrics_reported(step=step, points=points("loss", [3.0, 2.5]))
    tracker.metrics_reported(step=step, points=points("loss", [2.0], begin=2))
    assert series(tmp_path / "tensorboard" / "tune", "loss") == [(0, 3.0), (1, 2.5), (2, 2.0)]
    tracker.step_failed(step=step, error=TunesmithError("TINY-1", "broke"))


def test_the_settings_are_hyper_parameters(tracker, step, tmp_path):
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    tracker.step_finished(step=step)
    found = told(tmp_path / "tensorboard" / "tune", metadata.SESSION_START_INFO_TAG).hparams
    assert (found["num_train_epochs"].number_value, found["packed"].bool_value, found["adapter"].string_value) == (3, True, "tilt")
    assert (found["adapter.r"].number_value, found["adapter.targets"].string_value) == (16, '["q"]')


@pytest.mark.parametrize(("well", "status"), [(True, api_pb2.STATUS_SUCCESS), (False, api_pb2.STATUS_FAILURE)])
def test_how_a_step_ended_is_told(tracker, step, tmp_path, well, status):
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    tracker.step_finished(step=step) if well else tracker.step_failed(step=step, error=TunesmithError("TINY-1", "broke"))
    content = read(tmp_path / "tensorboard" / "tune").SummaryMetadata(metadata.SESSION_END_INFO_TAG).plugin_data.content
    assert metadata.parse_session_end_info_plugin_data(content).status == status


def test_what_a_step_says_at_its_end_is_written_though_it_measured_nothing(tracker, step, tmp_path):
    tracker.step_finished(step=StepFacts(step.run, "judge", "eval", metrics={"accuracy": 0.5}))
    assert series(tmp_path / "tensorboard" / "judge", "final/accuracy") == [(0, 0.5)]


def test_what_a_model_answered_is_text(tracker, step, tmp_path):
    tell_completions(tracker, step, tmp_path / "made")
    told = read(tmp_path / "tensorboard" / "tune").Tensors("completions")
    assert [event.step for event in told] == [0, 2]
    assert b"| 2 | Who? | Ann, 2 times |" in told[1].tensor_proto.string_val[0]


def test_points_that_are_told_again_replace_the_old(tracker, step, tmp_path):
    tracker.metrics_reported(step=step, points=points("loss", [3.0, 2.5, 99.0]))
    tracker.step_failed(step=step, error=TunesmithError("TINY-1", "broke"))
    tracker.metrics_reported(step=step, points=points("loss", [2.25, 2.0], begin=2))
    tracker.step_finished(step=step)
    assert series(tmp_path / "tensorboard" / "tune", "loss") == [(0, 3.0), (1, 2.5), (2, 2.25), (3, 2.0)]


def test_all_runs_may_share_a_folder(step, tmp_path):
    tracker = TensorBoard(TensorBoardSettings(log_dir="all"))
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    tracker.step_finished(step=step)
    assert series(tmp_path / "all" / "r1" / "tune", "loss") == [(0, 3.0)]
    assert not (tmp_path / "tensorboard").exists()


def test_the_names_of_files_may_end_with_a_word(step, tmp_path):
    tracker = TensorBoard(TensorBoardSettings(filename_suffix=".mine"))
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    (file,) = (tmp_path / "tensorboard" / "tune").iterdir()
    assert file.name.endswith(".mine")


def test_a_step_that_is_cut_short_is_closed_at_the_runs_end(tracker, step, tmp_path):
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    tracker.run_finished(run=step.run, view=None)
    content = read(tmp_path / "tensorboard" / "tune").SummaryMetadata(metadata.SESSION_END_INFO_TAG).plugin_data.content
    assert metadata.parse_session_end_info_plugin_data(content).status == api_pb2.STATUS_FAILURE


def test_its_library_is_not_imported_before_something_is_measured():
    modules = "tunesmith_tensorboard.plugin, tunesmith_tensorboard.tracker"
    code = f"import sys, {modules}; print([name for name in ('tensorboard', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.slow
def test_a_training_is_in_tensorboard(tmp_path, monkeypatch, capsys):
    from tunesmith_cli.main import main

    rows = [{"messages": [message("user", f"What is {n}?"), message("assistant", f"A number {n}.")]} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tiny_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    settings = ["--batch-size", "2", "--num-train-epochs", "2", "--adapter", "lora", "--adapter.r", "2"]
    assert main(["sft", "--model", "file://model", "--data", "rows.jsonl", *settings, "--track", "tensorboard", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    reported = [(line["at"], line["value"]) for line in lines if line.get("event") == "metric" and line["name"] == "loss"]
    (folder,) = (path for path in tmp_path.glob(".tunesmith/runs/*/tensorboard/*") if "loss" in read(path).Tags()["scalars"])
    assert len(reported) == 4
    assert [(at, pytest.approx(value)) for at, value in reported] == series(folder, "loss")
    assert told(folder, metadata.SESSION_START_INFO_TAG).hparams["adapter.r"].number_value == 2
