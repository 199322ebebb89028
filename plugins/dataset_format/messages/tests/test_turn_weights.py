"""What a row says of a turn that is not trained on is read in every spelling, or refused; never dropped."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_messages.rows import Messages

CASE = Path(__file__).parents[4] / "tests" / "cases" / "turn-not-to-learn" / "rows.jsonl"
KEYS = ("weight", "loss", "train", "training")


def weights(*extra, role="assistant"):
    turns = [{"role": "user", "content": "Name a river."}, {"role": role, "content": "Draft."} | extra[0]]
    turns += [{"role": "user", "content": "And a lake?"}, {"role": "assistant", "content": "Lake Como."}]
    return [turn.get("weight", 1) for turn in Messages().convert({"messages": turns})["messages"]]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("no", [0, 0.0, False, "false", "0"])
def test_a_turn_that_is_not_to_be_learnt_has_the_weight_0(key, no):
    assert weights({key: no}) == [1, 0, 1, 1]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("yes", [1, 1.0, True, "true", None])
def test_a_turn_that_is_to_be_learnt_is_an_ordinary_one(key, yes):
    assert weights({key: yes}) == [1, 1, 1, 1]


@pytest.mark.parametrize(("extra", "role", "words"), [
    ({"weight": 0.5}, "assistant", "`messages[1].weight` is 0.5, neither 0 nor 1"),
    ({"loss": "some"}, "assistant", "`messages[1].loss`"),
    ({"weight": -1}, "assistant", "weight"),
    ({"weight": [1]}, "assistant", "weight"),
    ({"weight": 0, "train": True}, "assistant", "both that it is trained on and that it is not"),
    ({"train_detail": [{"begin_offset": 0, "end_offset": 3, "train": False}]}, "assistant", "a part of a turn"),
    ({"weight": 1}, "user", "to be trained on"),
    ({"loss": True}, "tool", "to be trained on"),
])  # fmt: skip
def test_what_can_not_be_done_is_refused_with_its_place(extra, role, words):
    with pytest.raises(UserError, match="TS-DATA-026") as caught:
        weights(extra, role=role)
    assert words in caught.value.what


def test_a_turn_of_another_that_is_not_to_be_learnt_needs_no_weight():
    assert weights({"weight": 0}, role="user") == [1, 1, 1, 1]


def test_a_row_of_which_nothing_is_learnt_is_refused():
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello", "weight": 0}]
    with pytest.raises(UserError, match="TS-DATA-021"):
        Messages().convert({"messages": turns})


@pytest.mark.parametrize("key", ["label", "kto_tag"])
def test_a_bad_example_is_refused(key):
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Go away"}]
    with pytest.raises(UserError, match="TS-DATA-023"):
        Messages().convert({"messages": turns, key: False})
    assert Messages().convert({"messages": turns, key: True})


def test_a_call_that_is_not_learnt_stays_apart_from_words_that_are():
    call = {"role": "tool_call", "content": '{"name": "f", "arguments": {}}', "loss": False}
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, call]
    assert [turn.get("weight", 1) for turn in Messages().convert({"messages": turns})["messages"]] == [1, 1, 0]


def test_the_case_of_the_field_is_read():
    row = Messages().convert(json.loads(CASE.read_text("utf-8")))
    assert [turn.get("weight", 1) for turn in row["messages"]] == [1, 0, 1, 1]


@given(st.fixed_dictionaries({}, optional={key: st.none() | st.booleans() | st.floats() | st.text(max_size=5) for key in KEYS}))
def test_a_weight_is_0_or_absent_or_the_row_is_refused(extra):
    try:
        found = weights(extra)
    except UserError:
        return
    assert found in ([1, 0, 1, 1], [1, 1, 1, 1])
    said = [str(extra[key]).strip().lower() for key in extra if extra[key] is not None]
    assert (found[1] == 0) == any(word in ("0", "0.0", "-0.0", "false") for word in said)
