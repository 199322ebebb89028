"""A list of steps where a verb takes several artifacts of one kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.contracts import Artifact
from tunesmith.contracts.artifacts import several
from tunesmith.errors import Problems

YAML = """model: shelf://base
steps:
  one: {teach: echo, adapter: tilt, data: rows.jsonl}
  two: {teach: echo, adapter: tilt, data: rows.jsonl, seed: 1}
  both: {stack: {}, layers: LAYERS}
"""


@pytest.fixture(autouse=True)
def rows(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"question": "q", "solution": "s"}\n')


def test_each_is_an_input_and_converted_by_itself(planner):
    plan = planner(YAML.replace("LAYERS", "[two, one]"))
    (both,) = [step for step in plan.steps if step.name == "both"]
    assert {name: source.step for name, source in both.inputs.items()} == {"model": "model", "layers": "two.fold", "layers.2": "one.fold"}


def test_one_needs_no_list(planner):
    plan = planner(YAML.replace("LAYERS", "one"))
    assert plan.steps[-1].inputs["layers"].step == "one.fold"


def test_steps_that_are_not_there_are_told_with_their_place(planner):
    with pytest.raises(Problems) as raised:
        planner(YAML.replace("LAYERS", "[one, tow]"))
    assert "tow" in str(raised.value)
    assert "both" in str(raised.value)


def test_a_verb_finds_them_in_the_users_order():
    inputs = {name: Artifact(name, Path()) for name in ("layers.10", "layers.2", "layers", "model")}
    inputs |= {f"layers.{number}": Artifact(f"layers.{number}", Path()) for number in range(3, 10)}
    assert [artifact.format for artifact in several(inputs, "layers")] == ["layers", *(f"layers.{n}" for n in range(2, 11))]
