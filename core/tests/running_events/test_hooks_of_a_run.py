"""What plugins that listen to a run are told, and when."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tiny_listeners import WATCH, seen
from tiny_plans import step

from tunesmith.contracts import RunFacts, StepFacts
from tunesmith.running.outcome import can_go_on
from tunesmith_sdk.testing.recorder import Recorder


def test_a_listener_is_told_of_the_run_its_steps_and_artifacts(listening) -> None:
    place = listening(WATCH)
    place.run(step("a", to=2))
    assert seen(place) == [("run", "tiny", True), ("starting", "a", 2), ("artifact", "a", True), ("finished", "a", {"last": 1.0}, True)]


def test_of_a_home_that_was_deleted_nobody_is_told_so_that_nothing_of_it_comes_back(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    place = listening(WATCH + """
@hookimpl
def metrics_reported(step, points):
    (step.run.directory / "points").mkdir(parents=True, exist_ok=True)

@hookimpl
def step_failed(step, error):
    (step.run.directory / "failed").mkdir(parents=True, exist_ok=True)
""")  # fmt: skip

    class Deleting(Recorder):
        def metric(self, *about: object) -> None:
            shutil.rmtree(place.home, ignore_errors=True)

    outcome = place.run(step("a", to=20, pause=0.02), reporter=Deleting())
    assert outcome.error.code == "TS-STORE-007"
    assert not can_go_on(outcome.state, outcome.error)
    assert not [*place.home.glob("runs/*/points"), *place.home.glob("runs/*/failed")]


def test_a_step_from_the_cache_neither_starts_nor_finishes(listening) -> None:
    place = listening(WATCH)
    place.run(step("a", to=2))
    sys.modules[place.plugins[0].module].seen.clear()
    place.run(step("a", to=2))
    assert seen(place) == [("run", "tiny", True)]


def test_settings_are_flat_for_those_who_list_them() -> None:
    facts = StepFacts(RunFacts("1", "tiny", Path()), "a", "count", settings={"to": 2, "names": ["x"]},
                      providers={"wheel": {"name": "round", "settings": {"spokes": 16}}})  # fmt: skip
    assert facts.parameters() == {"to": 2, "names": '["x"]', "wheel": "round", "wheel.spokes": 16}


def test_a_denied_listener_is_not_imported(listening) -> None:
    place = listening("raise SystemExit('imported')\n@hookimpl\ndef run_started(run): pass", state="denied")
    assert place.run(step("a", to=2)).state == "done"
    assert place.plugins[0].module not in sys.modules


def test_a_listener_knows_the_digests_of_what_a_step_reads(listening) -> None:
    place = listening("@hookimpl\ndef step_starting(step):\n    seen.append((step.name, dict(step.inputs)))")
    outcome = place.run(step("a", to=2), step("b", reads="a", to=2))
    (read,) = dict(seen(place))["b"].values()
    assert read == outcome.artifacts["a"].digest
    assert dict(seen(place))["a"] == {}


def test_wrappers_and_order_are_pluggys(listening) -> None:
    place = listening("""
        @hookimpl(wrapper=True)
        def run_started(run):
            seen.append("before")
            yield
            seen.append("after")
    """, "@hookimpl\ndef run_started(run): seen.append('within')")  # fmt: skip
    place.run(step("a", to=2))
    assert seen(place) == ["before", "after", "within"]  # each in its own list
