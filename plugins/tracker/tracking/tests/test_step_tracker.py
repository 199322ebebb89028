"""When a record of a step is opened and closed, and that one failure is enough."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact, MetricPoint, RunFacts, StepFacts, TunesmithError
from tunesmith_tracking.completions import Completion, markdown_table
from tunesmith_tracking.step_tracker import StepTracker

RUN = RunFacts("r1", "support", Path())
TUNE, POINTS, BROKE = (
    StepFacts(RUN, "tune", "train"),
    [MetricPoint("loss", 2.5, 5), MetricPoint("loss", 3.0, 4)],
    TunesmithError("TINY-1", "broke"),
)


class Kept(StepTracker):
    """Keeps what its records are told; fails where `failing` names the method."""

    def __init__(self, failing: str = "") -> None:
        super().__init__()
        self.told: list[tuple] = []
        self.failing = failing

    def open(self, step: StepFacts, begin: int) -> Record:
        self.tell("open", step.name, step.attempt, begin)
        return Record(self, step.name)

    def tell(self, what: str, *about: object) -> None:
        self.told.append((what, *about))
        if what == self.failing:
            raise OSError("down")


class Record:
    def __init__(self, tracker: Kept, name: str) -> None:
        self.tracker, self.name = tracker, name

    def add(self, points) -> None:
        self.tracker.tell("add", self.name, len(points))

    def add_completions(self, completions) -> None:
        self.tracker.tell("completions", self.name, *completions)

    def add_final(self, metrics) -> None:
        self.tracker.tell("final", self.name, dict(metrics))

    def close(self, end) -> None:
        self.tracker.tell("close", self.name, end)


def test_a_record_is_opened_by_the_first_points_with_their_first_place_and_closed_at_the_steps_end():
    tracker = Kept()
    tracker.run_started(RUN)
    tracker.metrics_reported(TUNE, POINTS)
    tracker.metrics_reported(TUNE, POINTS[:1])
    tracker.step_finished(replace(TUNE, metrics={"loss": 2.0}))
    assert tracker.told == [
        ("open", "tune", 1, 4), ("add", "tune", 2), ("add", "tune", 1), ("final", "tune", {"loss": 2.0}), ("close", "tune", "finished"),
    ]  # fmt: skip


def test_what_a_model_answered_is_told_once_its_artifact_is_there(tmp_path: Path):
    tracker, answers = Kept(), [{"step": 0, "prompt": "Who?", "completion": "Ann"}, {"step": 4, "prompt": "Who?", "completion": "Bob"}]
    (tmp_path / "completions.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    tracker.metrics_reported(TUNE, POINTS)
    tracker.artifact_committed(TUNE, Artifact("adapter/peft", tmp_path))
    tracker.step_finished(replace(TUNE, metrics={"loss": 2.0}))
    assert tracker.told[2:] == [
        ("completions", "tune", (0, "Who?", "Ann"), (4, "Who?", "Bob")), ("final", "tune", {"loss": 2.0}), ("close", "tune", "finished"),
    ]  # fmt: skip


def test_an_artifact_without_answers_opens_no_record(tmp_path: Path):
    tracker = Kept()
    tracker.artifact_committed(TUNE, Artifact("model/hf", tmp_path))
    assert tracker.told == []


def test_answers_are_shown_as_they_are():
    table = markdown_table([Completion(3, "a|b", "*one*\ntwo")])
    assert table.splitlines()[2] == r"| 3 | a\|b | \*one\*<br>two |"


def test_a_step_that_has_nothing_to_tell_has_no_record():
    tracker = Kept()
    tracker.step_finished(TUNE)
    tracker.step_failed(TUNE, BROKE)
    tracker.run_finished(RUN, None)
    assert tracker.told == []


def test_each_attempt_has_a_record_of_its_own():
    tracker = Kept()
    for attempt in (1, 2):
        tracker.metrics_reported(replace(TUNE, attempt=attempt), POINTS)
        tracker.step_failed(replace(TUNE, attempt=attempt), BROKE)
    assert [told for told in tracker.told if told[0] != "add"] == [
        ("open", "tune", 1, 4), ("close", "tune", "failed"), ("open", "tune", 2, 4), ("close", "tune", "failed"),
    ]  # fmt: skip


def test_what_is_open_at_the_runs_end_is_killed_once():
    tracker = Kept()
    for name in ("tune", "judge"):
        tracker.metrics_reported(replace(TUNE, name=name), POINTS)
    tracker.run_finished(RUN, None)
    tracker.run_finished(RUN, None)
    assert tracker.told[-2:] == [("close", "tune", "killed"), ("close", "judge", "killed")]


@pytest.mark.parametrize("failing", ["open", "add"])
def test_after_a_failure_nothing_more_is_tried(failing: str):
    tracker = Kept(failing)
    with pytest.raises(OSError, match="down"):
        tracker.metrics_reported(TUNE, POINTS)
    told = [*tracker.told]
    tracker.metrics_reported(TUNE, POINTS)
    tracker.step_finished(replace(TUNE, metrics={"loss": 2.0}))
    tracker.metrics_reported(replace(TUNE, name="judge"), POINTS)
    tracker.run_finished(RUN, None)
    assert tracker.told == told
