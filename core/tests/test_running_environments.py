"""What a run does with environments of their own: resolve, build before anything is computed, start workers there, mend.

The environments here are stand-ins: their interpreter is this one. Real ones are built in tests/environments.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
import tiny_verbs
from tiny_plans import Place, plan, step

from tunesmith.errors import UserError
from tunesmith.isolation.environments.environment import Environment
from tunesmith.isolation.environments.recipe import Recipe
from tunesmith.isolation.environments.watching import Watch
from tunesmith.running import runner
from tunesmith.running.reporter import Recorder


class StandIn(Environment):
    """An environment whose interpreter is the test's own."""

    @property
    def python(self) -> str:
        return sys.executable


class StandIns:
    """Environments that are there once they are asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.done: list[str] = []  # what was asked, in order
        self.refuses: UserError | None = None
        self.wrong: list[list[str]] = []

    def key(self, recipe: Recipe) -> str | None:
        return f"key-of-{recipe.requirements[0]}" if f"lock {recipe.requirements[0]}" in self.done else None

    def lock(self, recipe: Recipe, watch: object) -> None:
        self.done.append(f"lock {recipe.requirements[0]}")

    def ready(self, recipe: Recipe) -> Environment | None:
        return self._built(recipe) if f"build {recipe.requirements[0]}" in self.done else None

    def ensure(self, recipe: Recipe, watch: Watch) -> Environment:
        if self.refuses:
            raise self.refuses
        if not self.ready(recipe):
            watch.progress("installing", 0, None, "")
            self.done.append(f"build {recipe.requirements[0]}")
        return self._built(recipe)

    def verify(self, built: Environment) -> list[str]:
        return self.wrong.pop(0) if self.wrong else []

    def all(self) -> list[Environment]:
        return []

    def _built(self, recipe: Recipe) -> Environment:
        return StandIn(f"key-of-{recipe.requirements[0]}", self.directory / "one", "3.11")


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    made = StandIns(tmp_path / "environments")
    monkeypatch.setattr(runner, "environments_of", lambda config: made)
    return made


def isolated(name: str, requirement: str = "one", verb: str = "count", **more):
    code = {"tiny_verbs": Path(tiny_verbs.__file__)}
    return dataclasses.replace(step(name, verb, **more), recipe=Recipe((requirement,), packages=code, plugins=("tiny",)))


def test_a_step_s_worker_runs_in_its_environment_with_the_host_s_code_and_without_what_would_mislead_it(tmp_path, stand_ins, monkeypatch):
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    monkeypatch.setenv("CONDA_PREFIX", "/nowhere")
    outcome = Place.at(tmp_path).run(isolated("a", verb="environment"))
    assert outcome.state == "done", outcome.error
    seen = (outcome.steps["a"].artifact.path / "environment").read_text().split()
    assert {"PYTHONPYCACHEPREFIX", "PYTHONNOUSERSITE", "VIRTUAL_ENV"} <= set(seen)
    assert not {"PYTHONSTARTUP", "CONDA_PREFIX"} & set(seen)


def test_environments_are_built_before_the_first_step_and_once_for_all_who_share_them(tmp_path, stand_ins):
    told = Recorder()
    steps = (step("first"), isolated("a", to=2), isolated("b", to=3), isolated("c", "two"))
    Place.at(tmp_path).run(*steps, reporter=told)
    assert stand_ins.done == ["lock one", "lock two", "build one", "build two"]
    order = [name for name, _ in told.told if name in ("environment_ready", "step_started")]
    assert order == ["environment_ready", "environment_ready", *["step_started"] * 4]


def test_nothing_is_computed_if_an_environment_cannot_be_had(tmp_path, stand_ins):
    stand_ins.refuses = UserError("TS-ENV-001", "no network", fix="-")
    told = Recorder()
    outcome = Place.at(tmp_path).run(step("first"), isolated("a", reads="first"), reporter=told)
    assert (outcome.state, outcome.error.code) == ("failed", "TS-ENV-001")
    assert not told.of("step_started")


def test_what_is_done_already_needs_no_environment_but_its_key(tmp_path, stand_ins):
    place = Place.at(tmp_path)
    place.run(isolated("a"))
    stand_ins.done = ["lock one"]  # the environment was collected since
    outcome = place.run(isolated("a"))
    assert outcome.steps["a"].cached
    assert stand_ins.done == ["lock one"]


def test_another_lock_is_another_key(tmp_path, stand_ins):
    place = Place.at(tmp_path)
    place.run(isolated("a"))
    assert not place.run(isolated("a", "two")).steps["a"].cached


def test_a_worker_that_finds_its_environment_damaged_gets_a_new_one_and_a_second_try(tmp_path, stand_ins):
    stand_ins.wrong = [["library.py is gone"]]
    told = Recorder()
    outcome = Place.at(tmp_path).run(isolated("a", fail="import"), reporter=told)
    assert outcome.error.code == "TS-RUN-011"  # as the second try fails in the same way, it is told
    assert "library.py is gone" in str(told.of("decision"))
    assert "has to ask for this" in outcome.error.fix


def test_the_report_has_a_table_of_what_ran_where(tmp_path, stand_ins):
    outcome = Place.at(tmp_path).run(step("first"), isolated("a"))
    page = outcome.report.read_text()
    assert "what ran where" in page
    assert "key-of-one" in page


def test_a_plan_without_environments_asks_nothing_of_them(tmp_path, stand_ins):
    assert Place.at(tmp_path).run(*plan(step("a")).steps).state == "done"
    assert stand_ins.done == []
