"""What a step measures, as plugins that listen are told of it."""

from __future__ import annotations

import dataclasses
import sys

import pytest
from tiny_listeners import seen
from tiny_plans import step

from tunesmith_sdk.testing.recorder import Recorder

POINTS = """
@hookimpl
def metrics_reported(step, points):
    seen.append((step.name, step.attempt, [(point.name, point.value, point.at) for point in points]))

@hookimpl
def step_failed(step, error):
    seen.append("failed")
    return Remedy("it fails no more this way", {"fail": ""})

@hookimpl
def step_finished(step):
    seen.append("finished")
"""


def test_a_listener_is_told_what_a_step_measures_before_it_finishes(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.running.steps.metric_batches.EVERY", 600.0)
    place = listening(POINTS)
    place.run(step("a", to=3))
    assert seen(place) == [("a", 1, [("square", 0, 0), ("square", 1, 1), ("square", 4, 2)]), "finished"]


def test_a_listener_is_told_what_a_step_measured_before_it_fails(listening) -> None:
    place = listening(POINTS)
    place.run(step("a", to=1, fail="user"))
    assert [entry[:2] if isinstance(entry, tuple) else entry for entry in seen(place)] == [("a", 1), "failed", ("a", 2), "finished"]


def test_points_come_in_batches_while_the_step_runs(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.running.steps.metric_batches.EVERY", 0.0)
    place = listening(POINTS)
    place.run(step("a", to=4, pause=0.3))
    batches = [points for name, _, points in seen(place)[:-1]]
    assert len(batches) > 1
    assert [at for batch in batches for _, _, at in batch] == [0, 1, 2, 3]


def test_a_listener_to_points_is_not_imported_while_nothing_is_measured(listening) -> None:
    place = listening("raise SystemExit('imported')\n@hookimpl\ndef metrics_reported(step, points): pass")
    assert place.run(step("a", "shout", to=1)).state == "done"


def test_a_listener_that_lacks_its_libraries_is_told_of_once(listening) -> None:
    place = listening(POINTS)
    lacking = dataclasses.replace(place.plugins[0], missing={"": ("tiny-board>=2 (not installed)",)}, fingerprint="seen")
    reporter = Recorder()
    assert dataclasses.replace(place, plugins=(lacking,)).run(step("a", to=2), reporter=reporter).state == "done"
    (told,) = [message for _, level, message in reporter.of("log") if level == "warning"]
    assert "tiny-board>=2 (not installed)" in told
    assert lacking.module not in sys.modules
