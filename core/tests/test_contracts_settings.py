from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts.settings import build, fill, problems, schema_of, setting
from tunesmith.errors import UserError


@dataclass(frozen=True)
class Horn:
    length: float = setting(1.5, "metres", gt=0)


@dataclass(frozen=True)
class Loud:
    name: str = setting(help="what to call it, in small letters", pattern="^[a-z]+$")
    volume: int = setting(3, "in steps", ge=0, le=11)
    mode: str = setting("plain", "how it sounds", choices=("plain", "brass"))
    stops: list[str] = setting([], "where it stops")
    seed: int | None = setting(None, "fixed start", ge=0)
    hall: str | None = setting(None, "where it sounds", choices=("small", "large"))
    horn: Horn = field(default_factory=Horn)


def found(value: object) -> list[str]:
    return [f"{path} {sentence}" for path, sentence in problems(schema_of(Loud), value)]


def test_a_schema_holds_types_help_bounds_defaults_and_what_is_required():
    schema = schema_of(Loud)
    assert schema["required"] == ["name"]
    assert schema["properties"]["volume"] == {"type": "integer", "description": "in steps", "minimum": 0, "maximum": 11, "default": 3}
    assert schema["properties"]["seed"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]
    assert schema["properties"]["horn"]["properties"]["length"]["exclusiveMinimum"] == 0
    assert json.loads(json.dumps(schema)) == schema


def test_every_problem_is_named_at_once_with_its_path():
    assert found({"volume": 12, "mode": "bras", "horn": {"length": 0}, "stop": []}) == [
        "name is missing",
        "volume should be at most 11, got 12",
        "mode can't be 'bras'. Did you mean `brass`?",
        "horn.length should be more than 0, got 0",
        "stop is not a setting. Did you mean `stops`?",
    ]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"name": "a", "volume": "3"}, "volume should be a whole number, got '3'"),
        ({"name": "a", "volume": True}, "volume should be a whole number, got true"),
        ({"name": "a", "seed": "x"}, "seed should be a whole number or empty, got 'x'"),
        ({"name": "a", "seed": -1}, "seed should be at least 0, got -1"),
        ({"name": "a", "hall": "larg"}, "hall can't be 'larg'. Did you mean `large`?"),
        ({"name": "a", "stops": ["x", 1]}, "stops[1] should be a string, got 1"),
        ({"name": "A"}, "name can't be 'A': what to call it, in small letters"),
        ([], " should be a mapping, got []"),
    ],
)
def test_a_wrong_value_is_told_in_words(value: object, sentence: str):
    assert found(value) == [sentence]


def test_of_several_types_the_one_of_the_values_own_is_what_was_meant():
    either = {"properties": {"start": {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["rising", "flat"]}]}}}
    assert list(problems(either, {"start": "risng"})) == [("start", "can't be 'risng'. Did you mean `rising`?")]
    assert list(problems(either, {"start": 3})) == [("start", "should be true or false or a string, got 3")]
    assert not list(problems(either, {"start": True}))


def test_settings_are_built_with_nested_ones_and_numbers_of_the_declared_type():
    settings = build(Loud, {"name": "a", "horn": {"length": 2}})
    assert settings == Loud(name="a", horn=Horn(2.0))
    assert isinstance(settings.horn.length, float)


def test_building_from_wrong_values_is_a_coded_error():
    with pytest.raises(UserError, match="TS-SPEC-020") as error:
        build(Loud, {"name": "a", "volum": 1})
    assert "Did you mean `volume`" in error.value.what


loud = st.fixed_dictionaries(
    {"name": st.from_regex("[a-z]+", fullmatch=True)},
    optional={
        "volume": st.integers(0, 11),
        "mode": st.sampled_from(["plain", "brass"]),
        "stops": st.lists(st.text()),
        "seed": st.none() | st.integers(0),
        "hall": st.sampled_from([None, "small", "large"]),
        "horn": st.fixed_dictionaries({}, optional={"length": st.floats(0.1, 9) | st.integers(1, 9)}),
    },
)


@given(loud)
def test_what_fits_the_schema_builds_and_filled_settings_mean_the_same(value: dict):
    assert found(value) == []
    filled = fill(schema_of(Loud), value)
    assert found(filled) == []
    assert fill(schema_of(Loud), filled) == filled
    assert build(Loud, filled) == build(Loud, value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))  # fmt: skip
def test_no_value_whatever_breaks_the_check(value: object):
    assert all(isinstance(sentence, str) for sentence in found(value))


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("more", [{}, {"minimum": 0}, {"exclusiveMaximum": 1}])
@pytest.mark.parametrize("optional", [False, True])
def test_a_setting_is_a_finite_number(more, number, optional):
    schema = {"type": "number", **more}
    schema = {"anyOf": [schema, {"type": "null"}]} if optional else schema
    said = f"should be a finite number, got {number}"
    assert list(problems(schema, number)) == [("", said)]
    assert list(problems({"type": "array", "items": schema}, [0.5, number])) == [("[1]", said)]


def test_a_setting_says_where_its_effect_shows_and_can_t_say_that_it_has_none():
    cls = dataclasses.make_dataclass("S", [("a", int, setting(1, "", effect={"with": {"b": 2}, "call": "os:rename"}))], frozen=True)
    assert schema_of(cls)["properties"]["a"]["effect"] == {"with": {"b": 2}, "call": "os:rename"}
    for wrong in ({}, {"none": True}, {"with": "b"}, {"call": 3}):
        with pytest.raises(TypeError, match="an effect says"):
            setting(1, "", effect=wrong)


@dataclass(frozen=True)
class Paced:
    learning_rate: float = setting(1e-3, "how fast", gt=0, aliases=("lr", "rate"))
    batch_size: int = setting(8, "rows of a step", unlike={"micro_batch_size": "`batch_size` is the whole batch"})
    tempo: Horn = field(default_factory=Horn)


@pytest.mark.parametrize("name", ["learning_rate", "lr", "rate"])
def test_a_setting_given_by_any_of_its_names_is_the_same(name):
    assert not list(problems(schema_of(Paced), {name: 0.5}))
    assert fill(schema_of(Paced), {name: 0.5}) == fill(schema_of(Paced), {"learning_rate": 0.5})
    assert build(Paced, {name: 0.5}) == Paced(learning_rate=0.5)
    assert [path for path, _ in problems(schema_of(Paced), {name: 0})] == [name]


def test_two_names_of_a_setting_at_once_are_refused():
    (told,) = problems(schema_of(Paced), {"learning_rate": 0.5, "lr": 0.5})
    assert told == ("lr", "is the same setting as `learning_rate`: give one of them")
    with pytest.raises(UserError, match="the same setting as `rate`"):
        build(Paced, {"lr": 0.5, "rate": 0.5})


def test_a_required_setting_may_be_given_by_an_alias():
    @dataclass(frozen=True)
    class Needed:
        name: str = setting(help="what to call it", aliases=("title",))

    assert build(Needed, {"title": "x"}) == Needed("x")


def test_a_misspelt_alias_is_told_apart_and_a_name_that_means_something_else_says_what_to_write():
    assert [sentence for _, sentence in problems(schema_of(Paced), {"rat": 1.0})] == ["is not a setting. Did you mean `rate`?"]
    (told,) = problems(schema_of(Paced), {"micro_batch_size": 1})
    assert told == ("micro_batch_size", "is not a setting: `batch_size` is the whole batch")


def test_a_name_of_two_settings_is_the_authors_mistake():
    twice = dataclasses.make_dataclass("Twice", [("a", int, setting(1, "one", aliases=("b",))), ("b", int, setting(1, "two"))])
    with pytest.raises(TypeError, match="`b` is the name or an alias of two settings"):
        schema_of(twice)


def test_a_relative_path_starts_from_the_folder_of_the_pipeline(tmp_path: Path):
    @dataclass(frozen=True)
    class Placed:
        python: str = setting("", "an interpreter", path=True)
        name: str = setting("", "no path")

    schema = schema_of(Placed)
    assert schema["properties"]["python"]["format"] == "path"
    assert fill(schema, {"python": "bin/python", "name": "a/b"}, tmp_path) == {"python": str(tmp_path / "bin/python"), "name": "a/b"}
    assert fill(schema, {"python": "/usr/bin/python"}, tmp_path)["python"] == "/usr/bin/python"
    assert fill(schema, {}, tmp_path)["python"] == ""
    assert fill(schema, {"python": "bin/python"})["python"] == "bin/python"
