"""Tests of what counts as a difference between two runs, and of the values that a setting is changed to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts.settings import problems
from tunesmith_sdk.conformance.bench.observation import difference, of_files, of_value, recorded
from tunesmith_sdk.conformance.common.setting_values import changes


def test_a_refusal_is_told_before_numbers_and_numbers_before_words():
    one, other = {"b": "1", "a.json.x": "1", "log[0]": "slow"}, {"b": "2", "a.json.x": "2", "log[0]": "fast"}
    assert difference(one, other, 5, 6) == "b"
    assert difference(one, other | {"refused": "TS-X-001"}, 5, 6) == "refused"
    assert difference({"log[0]": "slow"}, {"log[0]": "fast"}, 5, 6) == "log[0]"


def test_the_value_told_again_is_no_difference():
    assert difference({"config.json.r": "5", "log[0]": "r is 5"}, {"config.json.r": "6", "log[0]": "r is 6"}, 5, 6) == ""
    assert difference({"request.ranks": "5"}, {"request.ranks": "6"}, 5, 6) == "request.ranks"


def test_words_beside_tensors_are_no_part_of_a_file(tmp_path: Path):
    pytest.importorskip("torch")
    import torch
    from safetensors.torch import save_file

    found = []
    for words in ("one", "other"):
        save_file({"w": torch.ones(2)}, tmp_path / "w.safetensors", metadata={"made": words})
        found.append(dict(of_files(tmp_path)))
    assert found[0] == found[1]
    save_file({"w": torch.zeros(2)}, tmp_path / "w.safetensors")
    assert dict(of_files(tmp_path)) != found[0]


def test_leaves_of_json_are_places_of_their_own(tmp_path: Path):
    (tmp_path / "c.json").write_text(json.dumps({"a": {"b": [1, 2]}}))
    assert dict(of_files(tmp_path)) == {"c.json.a.b[]": "2", "c.json.a.b[0]": "1", "c.json.a.b[1]": "2"}
    assert dict(of_value("x", {"y": "z"})) == {"x.y": "'z'"}


def test_a_function_is_itself_again_after_its_calls_were_recorded():
    import time

    before = time.sleep
    with recorded("time:sleep", "acme") as calls:
        time.sleep(0)
    assert calls == ["[0, {}]"]
    assert time.sleep is before


def test_what_a_dataclass_is_made_with_is_a_call_of_its_own():
    from tunesmith.contracts import Device

    with recorded("tunesmith.contracts:Device.__init__", "acme") as calls:
        assert Device("beads", 8, 4, 1).name == "beads"
    assert "'beads', 8, 4, 1" in calls[0]


_BOUNDS = st.integers(-20, 20)
_ENTRIES = st.one_of(
    st.builds(lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more}, _BOUNDS, st.integers(1, 9)),
    st.builds(lambda low: {"type": "number", "exclusiveMinimum": low}, _BOUNDS),
    st.just({"type": "boolean"}),
    st.just({"type": "string"}),
    st.just({"type": "array", "items": {"type": "number"}}),
    st.just({"type": "object", "additionalProperties": {"type": "string"}}),
    st.just({"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
    st.lists(st.text(max_size=3), min_size=2, unique=True).map(lambda choices: {"type": "string", "enum": choices}),
)


@given(_ENTRIES)
def test_a_setting_is_changed_to_other_values_that_its_schema_allows(entry: dict):
    value = next(iter(entry["enum"])) if "enum" in entry else {"boolean": True, "string": ""}.get(entry.get("type", ""))
    found = changes(entry, value)
    assert found
    assert value not in found
    assert not [new for new in found if [*problems(entry, new)]]
    assert "enum" not in entry or set(found) == {*entry["enum"]} - {value}


def test_a_count_that_may_be_left_out_is_changed_to_more_than_one():
    found = changes({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}, None)
    assert 1 in found
    assert max(found) > 1
