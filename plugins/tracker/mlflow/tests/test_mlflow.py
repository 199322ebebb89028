"""What is told is read back by MLflow's own client, from its own store."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tunesmith.contracts import RunFacts, StepFacts, TunesmithError
from tunesmith_data.api import message
from tunesmith_mlflow.settings import MLflowSettings
from tunesmith_mlflow.tracker import MLflow
from tunesmith_sdk.testing.trackers import points, tell_completions
from tunesmith_sdk.tiny_models import tiny_model

PROVIDERS = {"adapter": {"name": "tilt", "settings": {"r": 16, "targets": ["q"]}}}
BROKE = TunesmithError("TINY-1", "broke")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Made once: its tables take seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture(autouse=True)
def at_work(monkeypatch, store):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)


@pytest.fixture
def tracker():
    return MLflow(MLflowSettings())


@pytest.fixture
def step(tmp_path, request):
    run = RunFacts(request.node.name, "support", tmp_path)
    return StepFacts(run, "tune", "train", settings={"num_train_epochs": 3}, providers=PROVIDERS)


def client(uri=None):
    from mlflow import MlflowClient  # a second of imports, which no collection of tests has to wait for

    return MlflowClient(uri)


def runs(id_, experiment="support"):
    mlflow = client()
    found = mlflow.get_experiment_by_name(experiment)
    return mlflow.search_runs([found.experiment_id], f"tags.`tunesmith.run` = '{id_}'", order_by=["start_time"]) if found else []


def series(run, name):
    return [(metric.step, metric.value) for metric in client().get_metric_history(run.info.run_id, name)]


def test_what_a_model_answered_is_a_file_of_its_run(tracker, step, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tell_completions(tracker, step, tmp_path / "made")
    (run,) = runs(step.run.id)
    assert [file.path for file in client().list_artifacts(run.info.run_id)] == ["completions.md"]
    text = client().download_artifacts(run.info.run_id, "completions.md", str(tmp_path))
    assert "| 2 | Who? | Ann, 2 times |" in Path(text).read_text()


def test_points_can_be_read_while_the_step_runs_and_after(tracker, step):
    tracker.metrics_reported(step=step, points=points("loss", [3.0, 2.5]))
    (run,) = runs(step.run.id)
    assert (run.info.status, run.info.run_name, series(run, "loss")) == ("RUNNING", "tune", [(0, 3.0), (1, 2.5)])
    tracker.metrics_reported(step=step, points=points("loss", [2.0], begin=2))
    tracker.step_finished(step=StepFacts(step.run, "tune", "train", metrics={"loss": 2.0}))
    (run,) = runs(step.run.id)
    assert (run.info.status, series(run, "loss")[-1], series(run, "final/loss")) == ("FINISHED", (2, 2.0), [(2, 2.0)])


def test_the_settings_are_parameters(tracker, step):
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    tracker.step_finished(step=step)
    (run,) = runs(step.run.id)
    assert run.data.params == {"num_train_epochs": "3", "adapter": "tilt", "adapter.r": "16", "adapter.targets": '["q"]'}


def test_each_attempt_is_a_run_of_its_own(tracker, step):
    tracker.metrics_reported(step=step, points=points("loss", [3.0, 99.0]))
    tracker.step_failed(step=step, error=BROKE)
    again = StepFacts(step.run, "tune", "train", attempt=2)
    tracker.metrics_reported(step=again, points=points("loss", [3.0, 2.0]))
    tracker.step_finished(step=again)
    assert {(run.data.tags["tunesmith.attempt"], run.info.status) for run in runs(step.run.id)} == {("1", "FAILED"), ("2", "FINISHED")}


def test_a_step_that_is_resumed_goes_on_in_its_run(tracker, step):
    tracker.metrics_reported(step=step, points=points("loss", [3.0, 2.5, 2.25]))
    tracker = MLflow(MLflowSettings())  # as after a kill
    tracker.metrics_reported(step=step, points=points("loss", [2.5, 2.25, 2.0], begin=1))
    tracker.step_finished(step=step)
    (run,) = runs(step.run.id)
    assert (run.info.status, series(run, "loss")) == ("FINISHED", [(0, 3.0), (1, 2.5), (2, 2.25), (3, 2.0)])


def test_a_name_that_mlflow_does_not_take_is_changed(tracker, step):
    tracker.metrics_reported(step=step, points=points("pass@1", [0.5]))
    tracker.step_finished(step=step)
    (run,) = runs(step.run.id)
    assert series(run, "pass-1") == [(0, 0.5)]


def judged(tracker, step):
    tracker.step_finished(step=StepFacts(step.run, "judge", "eval", metrics={"accuracy": 0.5}))


def test_an_experiment_may_be_named_by_a_setting_or_by_mlflows_own_variable(step, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "spring")
    judged(MLflow(MLflowSettings()), step)
    judged(MLflow(MLflowSettings(experiment_name="autumn")), step)
    for name in ("spring", "autumn"):
        (run,) = runs(step.run.id, name)
        assert series(run, "final/accuracy") == [(0, 0.5)]


def test_runs_are_named_tagged_and_described(step):
    judged(MLflow(MLflowSettings(run_name="night", tags={"team": "support", "tunesmith.step": "mine"}, description="the *long* one")), step)
    (run,) = runs(step.run.id)
    assert run.info.run_name == "night/judge"
    tags = {name: run.data.tags[name] for name in ("team", "mlflow.note.content", "tunesmith.step")}
    assert tags == {"team": "support", "mlflow.note.content": "the *long* one", "tunesmith.step": "judge"}


def test_the_server_that_a_setting_names_counts_more_than_the_variable(step, tmp_path):
    uri = f"sqlite:///{tmp_path / 'other.db'}"
    judged(MLflow(MLflowSettings(tracking_uri=uri)), step)
    assert runs(step.run.id) == []
    assert [found.name for found in client(uri).search_experiments()] == ["support", "Default"]


def test_a_step_that_is_cut_short_is_killed_at_the_runs_end(tracker, step):
    tracker.metrics_reported(step=step, points=points("loss", [3.0]))
    tracker.run_finished(run=step.run, view=None)
    (run,) = runs(step.run.id)
    assert run.info.status == "KILLED"


def test_a_server_that_is_not_there_is_tried_once_in_a_run(tracker, step, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(Exception, match=r"127\.0\.0\.1"):
            tracker.metrics_reported(step=step, points=points("loss", [3.0]))
        tracker.metrics_reported(step=step, points=points("loss", [3.0]))
        tracker.step_finished(step=step)


def test_its_library_is_not_imported_before_something_is_measured():
    modules = "tunesmith_mlflow.plugin, tunesmith_mlflow.tracker"
    code = f"import sys, {modules}; print([name for name in ('mlflow', 'sqlalchemy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.slow
def test_a_step_that_nobody_ends_is_killed_when_the_host_ends(step):
    code = """
        import sys
        from pathlib import Path
        from tunesmith.contracts import MetricPoint, RunFacts, StepFacts
        from tunesmith_mlflow.settings import MLflowSettings
        from tunesmith_mlflow.tracker import MLflow
        tracker = MLflow(MLflowSettings())
        tracker.metrics_reported(StepFacts(RunFacts(sys.argv[1], "support", Path()), "tune", "train"), [MetricPoint("loss", 3.0, 0)])
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), step.run.id], check=True)
    (run,) = runs(step.run.id)
    assert run.info.status == "KILLED"


@pytest.mark.slow
def test_a_training_is_in_mlflow(tmp_path, monkeypatch, capsys):
    from tunesmith_cli.main import main

    rows = [{"messages": [message("user", f"What is {n}?"), message("assistant", f"A number {n}.")]} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tiny_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tunesmith.toml").write_text('[pipeline.track.mlflow]\nexperiment_name = "tiny"\n')
    settings = ["--batch-size", "2", "--num-train-epochs", "2", "--adapter", "lora", "--adapter.r", "2"]
    assert main(["sft", "--model", "file://model", "--data", "rows.jsonl", *settings, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    reported = [(line["at"], line["value"]) for line in lines if line.get("event") == "metric" and line["name"] == "loss"]
    (id_,) = (line["run"] for line in lines if line.get("event") == "run_started")
    (run,) = (run for run in runs(id_, "tiny") if run.data.tags["tunesmith.step"] == "sft")
    assert len(reported) == 4
    assert (run.info.status, series(run, "loss"), run.data.params["adapter.r"]) == ("FINISHED", reported, "2")
