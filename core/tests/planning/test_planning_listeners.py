"""Providers that are told of a run: named at the top of a pipeline, or in a configuration file for all its pipelines."""

from __future__ import annotations

import dataclasses

import pytest

from tunesmith.contracts import Kind, Provider, setting
from tunesmith.planning.plan_text import plan_text
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import Registry
from tunesmith_cli.display.plan_json import plan_json
from tunesmith_sdk.manifest.records import record_of

DIARY = Kind("diary", "writes down what happens", "made_up:Diary", listens="watch")
STEPS = "model: shelf://base\nsteps:\n  tune: {teach: echo, adapter: tilt, data: train.jsonl}\n"


@dataclasses.dataclass(frozen=True)
class BookSettings:
    address: str = setting("", "where the book lies")
    pages: int = setting(10, "how long it is", ge=1)


def plugin(**more) -> Plugin:
    told = (Provider("book", "on paper", "made_up:Book", BookSettings), Provider("wall", "on the wall", "made_up:Wall"))
    records = tuple(record_of("diary", one, "acme-diary", "1.0", brought=DIARY) for one in told)
    return Plugin("acme-diary", "1.0", "made_up", records, kinds=(DIARY,), fingerprint="d", **more)


@pytest.fixture
def registry(world) -> Registry:
    return Registry([*world().plugins, plugin()])


def chosen(plan) -> list[tuple[str, dict]]:
    return [(one.record.name, dict(one.settings)) for one in plan.listeners]


BOOK = ("book", {"address": "", "pages": 10})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", []),
        ("watch: book", [BOOK]),
        ("watch: [book, wall]", [BOOK, ("wall", {})]),
        ("watch:\n  book: {pages: 3}\n  wall:", [("book", {"address": "", "pages": 3}), ("wall", {})]),
        ("watch: [{book: {pages: 3}}, book]", [("book", {"address": "", "pages": 3}), BOOK]),
        ("watch: none", []),
        ("watch: {}", []),
        ("watch:", []),
    ],
)
def test_a_pipeline_names_who_is_told(planner, registry, written, expected):
    plan = planner(f"{STEPS}{written}\n", registry)
    assert chosen(plan) == expected
    assert [step.name for step in plan.steps] == [step.name for step in planner(STEPS, registry).steps], "they take part in no step"


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        ("wacth: book", "TS-SPEC-004", ["tunesmith.yaml:4", "`watch`"]),
        ("watch: bokk", "TS-PLUGIN-001", ["tunesmith.yaml:4", "`book`"]),
        ("watch: {book: {pagse: 3}}", "TS-SPEC-020", ["tunesmith.yaml:4", "watch.book.pagse", "`pages`"]),
        ("watch:\n  book:\n    pages: many", "TS-SPEC-020", ["tunesmith.yaml:6", "watch.book.pages", "whole number"]),
        ("watch: {book: 3}", "TS-SPEC-008", ["tunesmith.yaml:4", "diary"]),
        ("watch: [3]", "TS-SPEC-008", ["tunesmith.yaml:4", "3 names no diary"]),
    ],
)
def test_a_mistake_is_told_with_its_place(problems, registry, written, code, words):
    (problem,) = problems(f"{STEPS}{written}\n", registry)
    assert problem.code == code
    text = f"{problem.what} {problem.why} {problem.fix}"
    assert all(word in text for word in words), text


def test_a_key_is_unknown_where_no_kind_listens_under_it(problems):
    (problem,) = problems(f"{STEPS}watch: book\n")
    assert (problem.code, "`watch` is not a key of a pipeline" in problem.what) == ("TS-SPEC-004", True)


def test_one_that_lacks_its_libraries_is_refused_before_anything_runs(problems, world):
    lacking = Registry([*world().plugins, plugin(missing={"": ("tiny-ink>=2",)}, runtime=("tiny-ink>=2",))])
    (problem,) = problems(f"{STEPS}watch: wall\n", lacking)
    assert (problem.code, problem.fix) == ("TS-PLUGIN-010", "pip install 'acme-diary[runtime]'")
    assert "tunesmith.yaml:4" in problem.what


def test_a_configuration_file_names_them_for_all_pipelines_unless_one_says_otherwise(planner, registry, tmp_path):
    user, project = tmp_path / "config.toml", tmp_path / "tunesmith.toml"
    defaults = [(user, {"watch": "wall"}), (project, {"watch": {"book": {"pages": 3}}})]
    assert chosen(planner(STEPS, registry, defaults=defaults)) == [("book", {"address": "", "pages": 3})]
    assert chosen(planner(STEPS, registry, defaults=defaults[:1])) == [("wall", {})]
    assert chosen(planner(f"{STEPS}watch: wall\n", registry, defaults=defaults)) == [("wall", {})]
    assert chosen(planner(f"{STEPS}watch: none\n", registry, defaults=defaults)) == []


def test_a_mistake_in_a_configuration_file_is_told_with_that_file(problems, registry, tmp_path):
    file = tmp_path / "tunesmith.toml"
    (unknown,) = problems(STEPS, registry, defaults=[(file, {"wacth": "book"})])
    assert (unknown.code, unknown.what.split(": ")[0], "`watch`" in unknown.fix) == ("TS-SPEC-004", "tunesmith.toml", True)
    (wrong,) = problems(STEPS, registry, defaults=[(file, {"watch": {"book": {"pages": 0}}})])
    assert (wrong.code, wrong.what.split(": ")[0]) == ("TS-SPEC-020", "tunesmith.toml")
    assert "pipeline.watch.book.pages" in wrong.what


def test_the_plan_says_who_is_told_with_what_settings_and_no_password(planner, registry, tmp_path):
    told = "watch: {book: {address: 'ftp://me:hush@desk/drawer', pages: 3}}\n"
    plan = planner(STEPS + told, registry)
    assert "watch book: it will be told of the run, with address: 'ftp://desk/drawer', pages: 3" in " ".join(plan_text(plan).split())
    (listener,) = plan_json(plan)["listeners"]
    assert (listener["name"], listener["settings"]) == ("book", {"address": "ftp://desk/drawer", "pages": 3})
    assert "hush" not in plan_text(plan) + str(plan_json(plan))
    assert plan.listeners[0].settings["address"] == "ftp://me:hush@desk/drawer", "it is told all"
    by_file = planner(STEPS, registry, defaults=[(tmp_path / "tunesmith.toml", {"watch": "wall"})])
    assert f"with its default settings; {tmp_path / 'tunesmith.toml'} says so" in " ".join(plan_text(by_file, width=400).split())
