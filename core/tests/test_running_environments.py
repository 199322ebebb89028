"""What a run does with isolated environments: resolve, build before anything is computed, start workers there, fix.

The environments here are stand-ins: their interpreter is this one. Real ones are built in tests/environments.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import tiny_verbs
from tiny_plans import Place, plan, step

from tunesmith.config import EnvironmentSettings
from tunesmith.contracts.kinds.environment_builder import Recipe, Start, Watch
from tunesmith.contracts.settings import schema_of, setting
from tunesmith.errors import UserError
from tunesmith.planning.placement.environments import builder_of
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.plugins.registry import Registry
from tunesmith.running import runner
from tunesmith.running.journal.run_directories import stored_plan
from tunesmith.running.steps.environments import environments_of
from tunesmith_sdk.testing.recorder import Recorder


@dataclasses.dataclass(frozen=True)
class StandIn:
    """An environment whose interpreter is the test's own."""

    key: str
    python: str = sys.executable
    version: str = "3.11"
    packages: dict[str, str] = dataclasses.field(default_factory=dict)
    size: int = 0


class StandIns:
    """Environments that are there once they are asked for."""

    def __init__(self) -> None:
        self.done: list[str] = []  # what was asked, in order
        self.refuses: UserError | None = None
        self.wrong: list[list[str]] = []

    def key(self, recipe: Recipe) -> str | None:
        return f"key-of-{recipe.requirements[0]}" if f"lock {recipe.requirements[0]}" in self.done else None

    def lock(self, recipe: Recipe, watch: object) -> None:
        self.done.append(f"lock {recipe.requirements[0]}")

    def ready(self, recipe: Recipe) -> StandIn | None:
        return self._built(recipe) if f"build {recipe.requirements[0]}" in self.done else None

    def ensure(self, recipe: Recipe, watch: Watch) -> StandIn:
        if self.refuses:
            raise self.refuses
        if not self.ready(recipe):
            watch.progress("installing", 0, None, "")
            self.done.append(f"build {recipe.requirements[0]}")
        return self._built(recipe)

    def verify(self, built: StandIn) -> list[str]:
        return self.wrong.pop(0) if self.wrong else []

    def all(self) -> list[StandIn]:
        return []

    def _built(self, recipe: Recipe) -> StandIn:
        return StandIn(f"key-of-{recipe.requirements[0]}")

    def start(self, built: StandIn, recipe: Recipe) -> Start:
        code = os.pathsep.join(str(path.parent) for path in recipe.packages.values())
        path = os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH", "")]))
        return Start((built.python, "-m", "tunesmith.isolation.worker"), {"PYTHONPATH": path, "SHED": "yes"}, ("CONDA_PREFIX",))


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> StandIns:
    made = StandIns()
    monkeypatch.setattr(runner, "environments_of", lambda settings, registry: made)
    return made


def isolated(name: str, requirement: str = "one", verb: str = "count", **more):
    code = {"tiny_verbs": Path(tiny_verbs.__file__)}
    return dataclasses.replace(step(name, verb, **more), recipe=Recipe((requirement,), packages=code, plugins=("tiny",)))


def test_a_step_s_worker_is_started_as_the_builder_says(tmp_path, stand_ins, monkeypatch):
    monkeypatch.setenv("CONDA_PREFIX", "/nowhere")
    outcome = Place.at(tmp_path).run(isolated("a", verb="environment"))
    assert outcome.state == "done", outcome.error
    seen = (outcome.steps["a"].artifact.path / "environment").read_text().split()
    assert "SHED" in seen
    assert "CONDA_PREFIX" not in seen


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


def test_the_stored_plan_says_which_environment_each_step_ran_in(tmp_path, stand_ins):
    place = Place.at(tmp_path)
    outcome = place.run(step("first"), isolated("a"))
    assert [step.lock for step in stored_plan(place.home, outcome.run).steps] == ["", "key-of-one"]


def test_a_plan_without_environments_asks_nothing_of_them(tmp_path, stand_ins):
    assert Place.at(tmp_path).run(*plan(step("a")).steps).state == "done"
    assert stand_ins.done == []


SHED = {"kind": "environment_builder", "distribution": "tiny", "version": "1.0", "summary": ""}


@dataclasses.dataclass
class ShedSettings:
    doors: int = setting(1, "how many", ge=1)


class Shed:
    """Tells what it was made and asked with."""

    def __init__(self, settings: ShedSettings) -> None:
        self.doors = settings.doors

    def open(self, *where: Any) -> tuple[Any, ...]:
        return (self.doors, *where)


def registry(*names: str) -> Registry:
    here = {"target": f"{__name__}:Shed", "settings": f"{__name__}:ShedSettings", "schema": schema_of(ShedSettings)}
    records = [ProviderRecord(**SHED, **here, name=name, priority=number) for number, name in enumerate(names)]
    return Registry([Plugin("tiny", "1.0", "tiny", tuple(records))])


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, types.SimpleNamespace(Shed=Shed, ShedSettings=ShedSettings))


def test_the_builder_is_the_named_one_or_the_first_and_gets_what_the_configuration_says(importable, tmp_path):
    said = EnvironmentSettings(tmp_path, "low", {"doors": 4}, True, (tmp_path / "wheels",))
    assert environments_of(said, registry("low", "high")) == (4, tmp_path, True, (tmp_path / "wheels",))
    assert environments_of(EnvironmentSettings(tmp_path), registry("low", "high")) == (1, tmp_path, False, ())
    assert builder_of(registry("low", "high")).name == "high"


@pytest.mark.parametrize(
    ("names", "builder", "settings", "code", "word"),
    [
        ((), "", {}, "TS-ENV-015", "pip install tunesmith"),
        (("shed",), "shad", {}, "TS-PLUGIN-001", "`shed`"),
        (("shed",), "shed", {"doors": 0, "windows": 1}, "TS-PLUGIN-021", "`doors`"),
    ],
)
def test_a_builder_that_is_not_there_or_is_misconfigured_is_told(importable, tmp_path, names, builder, settings, code, word):
    with pytest.raises(UserError) as told:
        environments_of(EnvironmentSettings(tmp_path, builder, settings), registry(*names))
    assert told.value.code == code
    assert word in f"{told.value.what} {told.value.fix}"
