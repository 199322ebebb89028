"""A step that was begun by other means goes on, where these say how it is done and not what it makes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tiny_plans import Place, plan, step, text

from tunesmith.contracts import Estimate, Slot
from tunesmith.isolation.locks import FileLock
from tunesmith.planning.cache_keys import step_key, task_key
from tunesmith.planning.plan import Choice, PlannedStep
from tunesmith.plugins.records import ProviderRecord
from tunesmith.running.journal.journal import Journal
from tunesmith.running.steps.cached_results import standing
from tunesmith_sdk.testing.recorder import Recorder

TO = 30
SQUARES = str([number * number for number in range(TO)])
SCHEMA = {"properties": {"hands": {"default": 1}}}


def counted(way: str, *, name: str = "a", hands: int = 1, interchangeable: bool = True, **more: Any) -> PlannedStep:
    """A count with a choice of how."""
    record = ProviderRecord("trainer_strategy", way, "", "made_up:Nothing", "tiny", "1.0", schema=SCHEMA)
    slots = (Slot("way", "trainer_strategy", "how", interchangeable=interchangeable),)
    made = step(name, to=TO)
    return dataclasses.replace(
        made, verb=dataclasses.replace(made.verb, slots=slots), choices={"way": Choice(record, {"hands": hands})}, **more
    )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(tmp_path)


def begin(place: Place, made: PlannedStep) -> Path:
    """Run it until it has counted a little; its work directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINY_HOLD", "1")
        outcome, _ = place.cancelled(made, when="metric")
    assert outcome.state == "cancelled"
    return place.home / "work" / step_key(made, {})


def test_settings_that_were_left_to_an_estimate_are_no_part_of_the_task() -> None:
    """What one process chose by its memory, another may choose otherwise, and go on."""
    one, other = (counted("swift", settings={"to": TO, "rows": rows}, estimate=Estimate({}, settings={"rows": rows})) for rows in (2, 3))
    assert step_key(one, {}) != step_key(other, {})
    assert task_key(one, {}) == task_key(other, {}) != ""


def first_counted(reporter: Recorder) -> int:
    """The first number that a run has counted itself."""
    return min(at for _, _, at, *_ in reporter.of("metric")) if reporter.of("metric") else TO


def test_what_was_begun_by_other_means_is_gone_on_with_and_plan_and_run_say_why(place: Place) -> None:
    work = begin(place, counted("slow"))
    asked, reporter = counted("swift", hands=3), Recorder()
    _, said = standing(plan(asked), place.home)
    outcome = place.run(asked, reporter=reporter)
    assert text(outcome, "a") == SQUARES
    assert first_counted(reporter) > 0
    (decision,) = reporter.of("decision")[0]
    assert decision.what == "go on with what slow has begun"
    assert "differs from swift hands=3 in how the step is done, not in what it makes, but for what is left to chance" in decision.reason
    assert said == [decision], "the plan says the same"
    assert not work.exists()
    assert list((place.home / "work").iterdir()) == []
    journal = Journal(place.home)
    (row,) = journal.steps(outcome.run)
    assert row.key == step_key(asked, {}), "the result is that of the means that ended it"
    assert [at for at, _ in journal.series(row.key)["square"]] == list(range(TO))
    assert standing(plan(asked), place.home) == ({"a": True}, [])


def test_it_moves_as_often_as_is_asked_for(place: Place) -> None:
    for way in ("slow", "swift", "slow"):
        work = begin(place, counted(way))
        assert [path for path in (place.home / "work").iterdir() if path.is_dir()] == [work]
    outcome = place.run(counted("third"))
    assert text(outcome, "a") == SQUARES


@pytest.mark.parametrize("asked", [counted("swift", interchangeable=False), counted("swift", seed=1)], ids=["not-means-alone", "seed"])
def test_what_makes_something_else_begins_anew(place: Place, asked: PlannedStep) -> None:
    work = begin(place, counted("slow", interchangeable=asked.verb.slots[0].interchangeable))
    assert standing(plan(asked), place.home)[1] == []
    reporter = Recorder()
    place.run(asked, reporter=reporter)
    assert reporter.of("decision") == []
    assert work.exists()


def test_what_another_process_works_on_stays_its_own(place: Place) -> None:
    work = begin(place, counted("slow"))
    with FileLock(work.with_suffix(".lock")):
        reporter = Recorder()
        outcome = place.run(counted("swift"), reporter=reporter)
    assert text(outcome, "a") == SQUARES
    assert first_counted(reporter) == 0
    assert "what slow has begun is not gone on with: process" in reporter.of("log")[0][2]
    assert work.exists()


def test_ways_that_a_plan_compares_take_nothing_from_each_other(place: Place) -> None:
    work = begin(place, counted("slow"))
    both = counted("slow"), counted("swift", name="b")
    assert standing(plan(*both), place.home)[1] == []
    reporter = Recorder()
    outcome = place.run(*both, reporter=reporter)
    assert text(outcome, "a") == text(outcome, "b") == SQUARES
    assert reporter.of("decision") == []
    assert not work.exists()


def test_refresh_begins_anew(place: Place) -> None:
    begin(place, counted("slow"))
    reporter = Recorder()
    place.run(counted("swift"), reporter=reporter, refresh=True)
    assert first_counted(reporter) == 0
