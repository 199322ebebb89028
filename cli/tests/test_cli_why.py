"""`tunesmith plan --why KEY`: who reads a setting, with what value, and where that was said."""

from __future__ import annotations

import pytest

from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith_cli.commands import plan_why as why
from tunesmith_cli.launch import Session

PIPELINE = """\
name: desk
model: shelf://hello
steps:
  tune:
    teach: echo
    adapter: {tilt: {angle: 9}}
    data: rows.jsonl
    settings: {epochs: 3}
  small: {quantize: {shorter: {every: 3}}, from: model}
"""


@pytest.fixture
def desk(world):
    world.write("tunesmith.yaml", PIPELINE)
    return world


def readers(desk, key, *words):
    told = desk("plan", "--why", key, "--json", *words)
    assert told.status == 0, told.err
    return {(one["step"], one["provider"]): (one["value"], one["origin"]) for one in told.json}


def test_everyone_who_reads_a_setting_is_named_with_value_and_origin(desk):
    assert readers(desk, "epochs") == {
        ("tune", "verb.teach"): (3.0, "tunesmith.yaml:8"),
        ("tune", "objective.echo"): (1, "its default"),
    }


def test_an_alias_asks_for_its_setting_and_is_seen_where_it_was_written(desk):
    assert readers(desk, "lr", "--set", "steps.tune.settings.lr=0.5") == {("tune", "verb.teach"): (0.5, "--set steps.tune.settings.lr")}


@pytest.mark.parametrize("key", ["adapter.angle", "tilt.angle", "tune.angle", "steps.tune.adapter.tilt.angle"])
def test_more_of_its_path_asks_for_one(desk, key):
    assert readers(desk, key) == {("tune", "adapter.tilt"): (9, "tunesmith.yaml:6")}


def test_a_value_of_the_command_line_is_said_to_be_from_there(desk):
    found = readers(desk, "teach.epochs", "--set", "steps.tune.settings.epochs=5")
    assert found == {("tune", "verb.teach"): (5.0, "--set steps.tune.settings.epochs")}
    found = readers(desk, "every", "--set", "steps.small.quantize.shorter={every: 4}")
    assert found == {("small", "quantizer.shorter"): (4, "--set steps.small.quantize.shorter")}


def test_a_default_of_what_was_not_named_is_its_default(desk):
    assert readers(desk, "learning_rate") == {("tune", "verb.teach"): (0.001, "its default")}


def test_a_step_that_the_planner_added_says_so(desk):
    assert {origin for _, origin in readers(desk, "format").values()} == {"the planner, which added the step"}


def test_for_people_each_reader_is_a_line_with_its_help(desk):
    told = desk("plan", "--why", "angle")
    assert told.out == "tune: adapter.tilt reads `angle` = 9, from tunesmith.yaml:6\n    how far to tilt\n"


def test_a_setting_that_nobody_reads_is_told_with_what_was_meant(desk):
    told = desk("plan", "--why", "adapter.angel")
    assert told.status == 2
    assert "TS-CLI-019" in told.err
    assert "`angle`" in told.err
    assert desk("plan", "--why", "small.angle").status == 2


def test_a_value_that_a_remedy_gave_is_told_with_what_was_asked_for(desk):
    spec = load_pipeline(desk.folder / "tunesmith.yaml")
    session = Session.open(spec.place)
    remedies = {"tune": ({"epochs": 1.0, "learning_rate": 0.001}, "the room is small")}
    (found,) = why.readers("teach.epochs", session.plan(spec), spec, session.registry, remedies=remedies)
    assert (found.value, found.origin) == (1.0, "a remedy, in place of 3.0 (tunesmith.yaml:8): the room is small")


WATCHED = PIPELINE + "watch:\n  book: {url: 'http://me:hush@desk.example/', pages: 7}\n"


@pytest.mark.parametrize("key", ["watch.book.address", "diary.address", "url"])
def test_who_is_told_of_the_run_reads_settings_like_others_and_no_password_is_shown(desk, key):
    desk.write("tunesmith.yaml", WATCHED)
    assert readers(desk, key) == {("", "diary.book"): ("http://desk.example/", "tunesmith.yaml:11")}
    assert desk("plan", "--why", key).out.startswith('the run: diary.book reads `address` = "http://desk.example/"')


def test_what_the_configuration_or_the_command_line_says_of_who_is_told_is_from_there(desk):
    (desk.folder / "tunesmith.toml").write_text("[pipeline.watch.book]\npages = 5\n")
    assert readers(desk, "watch.pages")["", "diary.book"] == (5, "tunesmith.toml: pipeline.watch.book.pages")
    assert readers(desk, "watch.pages", "--watch", "book")["", "diary.book"] == (10, "its default")
    found = readers(desk, "watch.book.pages", "--set", "watch.book.pages=3")
    assert found["", "diary.book"] == (3, "--set watch.book.pages")


@pytest.mark.parametrize("key", ["adapter", "tune.adapter", "tilt"])
def test_who_fills_a_slot_is_told_with_where_that_was_said(desk, key):
    (told,) = [one for one in desk("plan", "--why", key, "--json").json if one["step"] == "tune"]
    assert (told["slot"], told["provider"], told["origin"]) == ("adapter", "tilt", "tunesmith.yaml:6")


def test_a_choice_of_the_planner_is_told_with_its_reason(desk):
    desk.write("tunesmith.yaml", PIPELINE.replace("    adapter: {tilt: {angle: 9}}\n", ""))
    told = desk("plan", "--why", "tune.adapter")
    assert told.status == 0, told.err
    first, *others = told.out.splitlines()
    assert first.startswith("tune: the adapter is `")
    assert first.endswith("which the planner chose")
    assert others
