"""plan, run and resume; what --set changes; what is shown."""

from __future__ import annotations

import json

import pytest

from tunesmith_cli.display.event_fields import EVENTS

PIPELINE = """\
name: desk
model: shelf://hello
steps:
  tune: {teach: echo, adapter: tilt, data: rows.jsonl, settings: {epochs: 3}}
  small: {quantize: shorter, from: model}
  score: {evaluate: [letters, exact_words], from: [model, small], gate: {letters: "<= 5"}}
"""


@pytest.fixture
def desk(world):
    world.write("tunesmith.yaml", PIPELINE)
    return world


def test_plan_shows_everything_and_runs_nothing(desk):
    told = desk("plan")
    assert told.status == 0
    assert "score:small:letters" in told.out
    assert desk("runs", "list", "--json").json == []
    found = desk("plan", "--json").json
    assert [step["name"] for step in found["steps"]][:2] == ["model", "data:rows"]
    assert not any(step["cached"] for step in found["steps"])


def test_run_runs_it_and_a_second_run_finds_it_done(desk):
    first, second = desk("run"), desk("run")
    assert (first.status, second.status) == (0, 0), first.err
    assert "score  letters  words" in first.out
    assert "  small        3      1" in first.out
    assert "+ gate of score: letters of `small` is 3, within <= 5" in first.out
    assert "tune: the pupil is tired" in first.out.replace("warning: ", "")
    assert "  tune: learn quietly (the room is small)" in first.out
    assert "report:" not in first.out, "no plugin here writes one"
    assert ">" not in [line[:1] for line in second.out.splitlines()], "nothing started"
    assert "from the cache" in second.out
    assert desk("run", "--refresh").out.count("> ") == 8


def test_the_pipeline_may_be_a_file_or_a_directory(desk, monkeypatch):
    monkeypatch.chdir(desk.folder.parent)
    assert desk("plan", "project/tunesmith.yaml").status == 0
    assert desk("plan", "project").status == 0
    told = desk("plan")
    assert told.status == 2
    assert "TS-CLI-005" in told.err


def test_the_home_is_that_of_the_directory_one_works_in(desk, monkeypatch):
    monkeypatch.chdir(desk.folder.parent)
    assert desk("run", "project", "--set", "steps={small: {quantize: shorter}}").status == 0
    assert (desk.folder.parent / ".tunesmith" / "journal.sqlite").is_file()
    assert not (desk.folder / ".tunesmith" / "journal.sqlite").exists()


def test_events_for_programs_are_json_lines(desk):
    told = desk("run", "--json")
    names = [event["event"] for event in told.events]
    assert names[0] == "run_started"
    assert names[-1] == "run_finished"
    assert {"decision", "step_started", "step_finished", "progress", "metric", "log", "gate"} <= set(names)
    for event in told.events:
        assert set(event) == {"event", *EVENTS[event["event"]]}, "the fields are those of the agreement"
    last = told.events[-1]
    assert last["state"] == "done"
    assert {step["step"]: step["metrics"] for step in last["steps"]}["score:small:letters"] == {"letters": 3.0}
    assert told.err == ""


def test_a_gate_that_does_not_hold_fails_the_run(desk):
    told = desk("run", "--set", 'steps.score.gate.letters="<= 4"')
    assert told.status == 1
    assert "x gate of score" in told.out
    assert "TS-RUN-020" in told.err
    assert "fix:  Change the model, or the bound under `gate` of `score`" in told.err
    assert "resume" not in told.out + told.err + desk("runs", "show").out, "the same plan would come to the same numbers"


def test_a_gate_names_what_there_is_to_change(desk):
    told = desk("run", "--set", 'steps.score.gate.letters="<= 0.5x model"')
    assert "fix:  Change the data or the settings of `small`, or the bound under `gate` of `score`" in told.err


def test_an_option_of_plan_and_run_names_who_is_told(desk):
    (desk.folder / "tunesmith.toml").write_text("[pipeline.watch.book]\naddress = 'shelf'\n")
    assert "watch book" in desk("plan", "--watch", "book").out
    assert "watch" not in desk("plan", "--watch", "none").out
    assert "a diary for this run, one of none, book" in desk("run", "--help").out
    desk("run", "--watch", "book", "--no-serve")
    (book,) = desk.folder.glob(".tunesmith/runs/*/book.txt")
    assert book.read_text() == "\n", "it is who is named, with its defaults"
    assert "TS-PLUGIN-001" in desk("run", "--watch", "boook").err


def test_a_run_keeps_no_password_of_who_is_told_and_takes_it_from_the_pipeline_where_it_goes_on(desk):
    told = 'watch: {book: {address: "http://me:hush@desk.example/"}}\n'
    desk.write("tunesmith.yaml", PIPELINE + told)
    assert desk("run", "--set", "steps.tune.settings.fail=run").status == 1
    (plan,) = desk.folder.glob(".tunesmith/runs/*/plan.json")
    assert "desk.example" in plan.read_text()
    assert "hush" not in plan.read_text()
    desk("resume")
    (book,) = desk.folder.glob(".tunesmith/runs/*/book.txt")
    assert book.read_text() == 2 * "http://me:hush@desk.example/\n"


def test_resume_goes_on_with_a_failed_run(desk):
    failed = desk("run", "--set", "steps.tune.settings.fail=run")
    assert failed.status == 1
    run = desk("runs", "list", "--json").json[0]
    assert run["state"] == "failed"
    again = desk("resume")
    assert f"run {run['id']} goes on" in again.out
    assert again.status == 1, "what fails always fails again"
    assert desk("resume", run["id"][:8]).status in (1, 2)
    assert desk("resume", "1999").status == 2
    assert json.loads(desk("resume", "--json").out.splitlines()[-1])["event"] == "error"


@pytest.mark.parametrize(
    ("assignment", "step", "found"),
    [
        ("steps.tune.settings.epochs=5", "tune", {"settings": {"epochs": 5.0}}),
        ("steps.tune.adapter.tilt.angle=2", "tune", {"providers": {"adapter": {"settings": {"angle": 2}}}}),
        ("steps.tune.seed=9", "tune", {"seed": 9}),
        ("seed=4", "tune", {"seed": 4}),
        ("steps.small.quantize={shorter: {every: 4}}", "small", {"providers": {"quantizer": {"settings": {"every": 4}}}}),
        ("steps.score.from.1=model", "score:exact_words", None),
    ],
)
def test_set_changes_a_value_for_this_time(desk, assignment, step, found):
    told = desk("plan", "--set", assignment, "--json")
    assert told.status == 0, told.out
    if found:
        planned = next(entry for entry in told.json["steps"] if entry["name"] == step)
        for key, value in flat(found).items():
            assert flat(planned)[key] == value
    assert desk("plan", "--json").json != told.json
    assert (desk.folder / "tunesmith.yaml").read_text() == PIPELINE


def flat(value: dict, prefix: str = "") -> dict:
    found = {}
    for key, item in value.items():
        found |= flat(item, f"{prefix}{key}.") if isinstance(item, dict) else {prefix + key: item}
    return found


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("steps.tune", "it is not PATH=VALUE"),
        ("stps.tune.seed=1", "Did you mean `steps`?"),
        ("steps.tuna.seed=1", "Did you mean `tune`?"),
        ("steps.score.from.7=model", "no place in a list of 2"),
        ("steps.tune.data.x=1", "holds nothing"),
        ("steps..seed=1", "it is not PATH=VALUE"),
    ],
)
def test_set_that_leads_nowhere_is_told(desk, assignment, said):
    told = desk("plan", "--set", assignment)
    assert told.status == 2
    assert "TS-CLI-007" in told.err
    assert said in told.err


def test_a_value_set_wrongly_is_found_as_if_the_file_said_so(desk):
    told = desk("plan", "--set", "steps.tune.settings.epochs=many")
    assert told.status == 2
    assert "steps.tune.settings.epochs" in told.err


def test_strict_refuses_what_is_not_known(desk):
    assert "calm" in desk("plan").out
    told = desk("plan", "--strict")
    assert told.status == 2
    assert "calm" in told.err


def test_a_service_at_the_end_is_left_out_on_request(world):
    world.write("tunesmith.yaml", "model: shelf://x\nsteps:\n  api: {serve: kettle}\n")
    told = world("run", "--no-serve")
    assert told.status == 0
    assert "- api: skipped" in told.out


def test_asking_and_planning_leave_no_home_behind(world):
    assert "TS-RUN-021" in world("resume").err
    assert world("data", "inspect", "rows.jsonl").status == 0
    assert world("echo", "--model", "shelf://hello", "--data", "rows.jsonl", "--plan").status == 0
    assert not (world.folder / ".tunesmith" / "staging").exists()
    assert not (world.folder / ".tunesmith" / "journal.sqlite").exists()
