"""Steps that run beside each other: who is let in, what a failure leaves alone, and that nothing depends on the order."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tiny_plans import Place, plan, step

from tunesmith.contracts.resources import Resources
from tunesmith.planning.placement.admission import Admission
from tunesmith.planning.placement.machine import Machine
from tunesmith.planning.plan import Gate, PlannedStep
from tunesmith.planning.schedule import schedule
from tunesmith_sdk.testing.recorder import Recorder

ONE = Resources(cores=1)
TWO = Machine(cores=2)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(tmp_path)


def overlaps(recorder: Recorder) -> set[frozenset[str]]:
    """Pairs of steps of which one started while the other ran."""
    running: list[str] = []
    found: set[frozenset[str]] = set()
    for name, arguments in recorder.told:
        if name == "step_started":
            found |= {frozenset((arguments[0].name, other)) for other in running}
            running.append(arguments[0].name)
        elif name == "step_finished" and arguments[0].name in running:
            running.remove(arguments[0].name)
    return found


def pair(*names: str) -> frozenset[str]:
    return frozenset(names)


def test_branches_run_beside_each_other_where_there_are_cores_for_both(place: Place) -> None:
    steps = (step("a", resources=ONE, pause=0.05), step("b", resources=ONE, pause=0.05, to=4), step("c", reads="a", resources=ONE))
    recorder = Recorder()
    assert place.run(plan=plan(*steps, machine=TWO), reporter=recorder).state == "done"
    assert pair("a", "b") in overlaps(recorder)
    assert pair("a", "c") not in overlaps(recorder)


@pytest.mark.parametrize(
    ("machine", "resources"),
    [
        (Machine(cores=1), ONE),
        (Machine(cores=4, memory=10.0), Resources(cores=1, memory=6.0)),
        (Machine(cores=4, memory=10.0), Resources(memory=4.6)),  # nine tenths of the memory is shared out
        (Machine(cores=4, devices={"card": (8.0,)}), Resources(cores=1, devices=1, device_memory=5.0)),
    ],
)
def test_what_the_machine_has_no_room_for_waits(place: Place, machine: Machine, resources: Resources) -> None:
    recorder, on = Recorder(), "card" if resources.devices else "cpu"
    steps = tuple(placed(step(name, resources=resources, to=to), on) for name, to in (("a", 3), ("b", 4)))
    assert place.run(plan=plan(*steps, machine=machine), reporter=recorder).state == "done"
    assert overlaps(recorder) == set()


def placed(one: PlannedStep, device: str) -> PlannedStep:
    return dataclasses.replace(one, placement=dataclasses.replace(one.placement, device=device))


def test_what_takes_all_of_the_machine_runs_beside_what_takes_nothing(place: Place) -> None:
    recorder = Recorder()
    steps = (step("load", resources=Resources(), pause=0.05), step("a", resources=Resources(2, 10.0), pause=0.05, to=4))
    assert place.run(plan=plan(*steps, machine=Machine(2, 10.0)), reporter=recorder).state == "done"
    assert overlaps(recorder) == {pair("load", "a")}


def test_jobs_bound_how_many_run(place: Place) -> None:
    recorder = Recorder()
    steps = tuple(step(f"s{n}", resources=Resources(), to=n + 1) for n in range(4))
    assert place.run(plan=plan(*steps, machine=Machine(cores=8)), reporter=recorder, jobs=1).state == "done"
    assert overlaps(recorder) == set()


def test_a_step_that_fails_leaves_the_other_branch_alone(place: Place) -> None:
    steps = (step("a", fail="crash"), step("b", reads="a"), step("c", to=2), step("d", reads="c", to=3))
    outcome = place.run(*steps)
    assert outcome.state == "failed"
    assert {name: one.state for name, one in outcome.steps.items()} == {"a": "failed", "b": "skipped", "c": "done", "d": "done"}
    assert outcome.error is outcome.steps["a"].error


def test_results_are_those_of_one_after_the_other(place: Place, tmp_path: Path) -> None:
    names = [f"s{n}" for n in range(5)]
    steps = [step(name, resources=ONE, to=number + 2, pause=0.01) for number, name in enumerate(names)]
    steps += [step("end", reads="s3", resources=ONE)]
    beside = place.run(plan=plan(*steps, machine=Machine(cores=5)))
    alone = Place.at(tmp_path / "other").run(plan=plan(*steps, machine=Machine(cores=5)), jobs=1)
    digests = [{name: one.digest for name, one in outcome.artifacts.items()} for outcome in (beside, alone)]
    assert digests[0] == digests[1]
    assert list(beside.steps) == [*names, "end"]


def test_two_steps_that_do_the_same_are_one(place: Place) -> None:
    recorder = Recorder()
    steps = (step("a", resources=ONE, pause=0.02), step("b", resources=ONE, pause=0.02))
    outcome = place.run(plan=plan(*steps, machine=TWO), reporter=recorder)
    assert [one.cached for one in outcome.steps.values()] == [False, True]
    assert overlaps(recorder) == set()


def test_a_run_that_is_stopped_stops_all_that_runs(place: Place) -> None:
    steps = tuple(step(name, resources=ONE, to=100 + number, pause=0.1) for number, name in enumerate("ab"))
    outcome, seconds = place.cancelled(*steps, machine=TWO, when="progress")
    assert outcome.state == "cancelled"
    assert {one.state for one in outcome.steps.values()} == {"cancelled"}
    assert seconds < 8


def test_a_service_that_ends_by_itself_fails_those_that_read_it_and_no_others(place: Place) -> None:
    steps = (step("a"), step("api", "faint", reads="a"), step("q", "ask", reads="api", resources=ONE), step("z", to=5, resources=ONE))
    outcome = place.run(plan=plan(*steps, machine=TWO))
    assert outcome.steps["z"].state == "done"
    assert outcome.steps["q"].state == "failed"


def test_a_step_is_given_the_devices_that_are_free(place: Place) -> None:
    machine = Machine(4, 0.0, {"card": (8.0, 8.0)}, {"card": "CARDS"})
    room, wants = Admission(machine), Resources(cores=1, devices=1, device_memory=6.0)
    assert room.admit("a", {"a": ("card", wants)})
    assert room.admit("b", {"b": ("card", wants)})
    assert not room.admit("c", {"c": ("card", wants)})
    assert [room.variables(name, machine.visible, {"CARDS": "4,7"}) for name in "ab"] == [{"CARDS": "4"}, {"CARDS": "7"}]
    room.release("a")
    assert room.admit("c", {"c": ("card", wants)})
    assert room.variables("c", machine.visible, {}) == {"CARDS": "0"}
    room.release("b")
    room.release("c")
    assert room.admit("both", {"both": ("card", Resources(2, 0.0, 2, 6.0))})
    assert room.variables("both", machine.visible, {}) == {}


def test_a_plan_says_what_runs_beside_what_and_the_longest_way() -> None:
    steps = (
        step("a", resources=ONE), step("b", resources=ONE, to=4), step("c", reads="a", resources=ONE), step("d", reads="b", resources=ONE),
        step("e", reads="c", after=("d",), resources=Resources(cores=2)),
    )  # fmt: skip
    found = schedule(plan(*steps, machine=TWO), {"a": 10.0, "b": 1.0, "c": 2.0, "d": 3.0})
    assert found.beside == {"a": ("b", "d"), "b": ("a",), "d": ("a",)}
    assert (found.longest, found.seconds, found.unknown) == (("a", "c", "e"), 12.0, ("e",))
    alone = schedule(plan(*steps, machine=TWO), {}, jobs=1)
    assert (alone.beside, alone.seconds) == ({}, 0.0)


def test_what_a_plan_says_runs_beside_what_is_what_the_run_does(place: Place) -> None:
    steps = (
        step("a", resources=ONE, to=8, pause=0.05), step("b", resources=ONE, to=2, pause=0.05),
        step("c", reads="b", resources=ONE, pause=0.01), step("d", resources=Resources(cores=2), to=7),
    )  # fmt: skip
    said = schedule(plan(*steps, machine=TWO), {"a": 0.4, "b": 0.1, "c": 0.1, "d": 0.1})
    recorder = Recorder()
    assert place.run(plan=plan(*steps, machine=TWO), reporter=recorder).state == "done"
    assert overlaps(recorder) == {pair(one, other) for one, others in said.beside.items() for other in others}


def test_who_reads_one_of_a_gated_group_waits_for_all_that_its_gate_judges(place: Place) -> None:
    steps = (
        dataclasses.replace(step("s:a", resources=ONE), group="s"),
        dataclasses.replace(step("s:b", resources=ONE, to=9, pause=0.05), group="s"), step("r", reads="s:a", resources=ONE),
    )  # fmt: skip
    gated = plan(*steps, machine=TWO, gates=(Gate("s", "last", "<=", 0.0),))
    outcome = place.run(plan=gated)
    assert (outcome.state, outcome.steps["r"].state) == ("failed", "skipped")
    assert schedule(gated, {}).beside == {"s:a": ("s:b",), "s:b": ("s:a",)}
