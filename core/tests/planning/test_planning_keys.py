"""Cache keys: the same work has the same key, other work has another."""

import bisect
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import Placement
from tunesmith.planning.cache_keys import canonical, step_key, twins
from tunesmith.planning.estimates.memory_and_disk import check_disk
from tunesmith.planning.plan import Choice
from tunesmith_cli.display.plan_json import plan_json

YAML = "model: shelf://base\nsteps:\n  tune: {teach: echo, adapter: {tilt: {angle: 3}}, data: train.jsonl}\n"
DIGESTS = {"model": "sha256:m", "data:train": "sha256:d"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def shuffled(value):
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return tuple(map(shuffled, value)) if isinstance(value, list) else value


def as_floats(value):
    if isinstance(value, dict):
        return {key: as_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(as_floats, value))
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(VALUES)
def test_neither_order_nor_the_way_a_number_is_written_matters(value):
    assert canonical(value) == canonical(shuffled(value)) == canonical(as_floats(value))


@given(VALUES, VALUES)
def test_different_values_are_written_differently(one, other):
    def comparable(value):
        if isinstance(value, dict):
            return ("d", tuple(sorted((key, comparable(item)) for key, item in value.items())))
        if isinstance(value, list):
            return ("l", tuple(map(comparable, value)))
        return (
            type(value).__name__ if value is None or isinstance(value, (bool, str)) else "n",
            repr(value + 0.0 if value.__class__ in (int, float) else value),
        )

    assert (canonical(one) == canonical(other)) == (comparable(one) == comparable(other))


@pytest.fixture
def tune(planner):
    return next(step for step in planner(YAML).steps if step.name == "tune")


def test_a_name_is_no_part_of_the_key(tune):
    assert step_key(tune, DIGESTS) == step_key(replace(tune, name="other", group="x", after=("y",), inserted=True), DIGESTS)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"environment": "other"},
        {"format": "adapter/other"},
        {"settings": {"epochs": 2, "rate": 1e-3}},
        {"placement": Placement(device="loom")},
        {"placement": Placement(device="abacus", processes=2)},
        {"inputs": {}},
    ],
)
def test_what_the_artifact_depends_on_is_part_of_the_key(tune, change):
    assert step_key(tune, DIGESTS) != step_key(replace(tune, **change), DIGESTS)


def test_settings_versions_and_inputs_are_part_of_the_key(tune):
    adapter = tune.choices["adapter"]
    turned = replace(tune, choices={**tune.choices, "adapter": Choice(adapter.record, {**adapter.settings, "angle": 4})})
    newer = replace(tune, choices={**tune.choices, "adapter": replace(adapter, record=replace(adapter.record, version="2.0"))})
    verb = replace(tune, verb=replace(tune.verb, target="made_up:other"))
    keys = {step_key(step, DIGESTS) for step in (tune, turned, newer, verb)} | {step_key(tune, {**DIGESTS, "data:train": "sha256:e"})}
    assert len(keys) == 5


def test_a_setting_written_out_is_the_same_as_its_default(planner, tune):
    written = planner(YAML.replace("{angle: 3}", "{side: left, angle: 3}").replace("data:", "settings: {rate: 0.001}, data:"))
    assert step_key(next(step for step in written.steps if step.name == "tune"), DIGESTS) == step_key(tune, DIGESTS)


def test_an_alias_gives_the_plan_and_the_key_of_the_settings_own_name(planner):
    own, alias = (
        next(step for step in planner(YAML.replace("data:", f"settings: {{{name}: 0.5}}, data:")).steps if step.name == "tune")
        for name in ("rate", "learning_rate")
    )
    assert dict(alias.settings) == dict(own.settings) == {"epochs": 1, "rate": 0.5}
    assert step_key(alias, DIGESTS) == step_key(own, DIGESTS)


def test_a_file_counts_by_what_is_in_it(planner):
    plan = planner(YAML)
    data = next(step for step in plan.steps if step.name == "data:train")
    changed = replace(data, inputs={"file": replace(data.inputs["file"], digest="sha256:other")})
    moved = replace(data, inputs={"file": replace(data.inputs["file"], file=plan.path)})
    assert step_key(data, {}) == step_key(moved, {}) != step_key(changed, {})


TWINS = """\
model: shelf://base
steps:
  one: {teach: echo, adapter: tilt, data: train.jsonl}
  two: {teach: echo, adapter: tilt, data: train.jsonl}
  three: {teach: echo, adapter: {tilt: {angle: 3}}, data: train.jsonl}
  score: {evaluate: surprise, from: [one, two, three]}
"""


def test_steps_that_do_the_same_work_are_one(planner):
    plan = planner(TWINS)
    same = twins(plan.steps)
    assert same["two"] == "one"
    assert "three" not in same
    readers = [step.name for step in plan.steps if step.group == "score"]
    assert same[readers[1]] == readers[0], "also those that read them"
    assert readers[2] not in same


def test_what_is_there_twice_is_counted_once(planner):
    plan = planner(TWINS)
    once = planner(TWINS.replace("  two: {teach: echo, adapter: tilt, data: train.jsonl}\n", "").replace("one, two, three", "one, three"))
    assert needed(plan) == needed(once) > 0
    text = str(plan)
    assert "the same as one: run once" in text
    assert text.splitlines()[-1] == str(once).splitlines()[-1], "the disk that it takes"
    assert {step["name"]: step["same_as"] for step in plan_json(plan)["steps"]}["two"] == "one"


def needed(plan):
    """The bytes without which a plan is refused."""
    return bisect.bisect_left(range(2**40), 1, key=lambda free: not check_disk(plan, free))
