"""Tool calls, however they are written, become objects with their keys in the row's order; what is none is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_messages.rows import Messages

ARGUMENTS = {"thought": "7 times 13", "answer": "no"}
WANTED = {"type": "function", "function": {"name": "decide", "arguments": ARGUMENTS}}
CASES = Path(__file__).parents[4] / "tests" / "cases"


def calls_of(turn):
    row = Messages().convert({"messages": [{"role": "user", "content": "Is 91 prime?"}, turn]})
    return [call for turn in row["messages"] for call in turn.get("tool_calls", ())]


def case(name):
    return [Messages().convert(json.loads(line)) for line in (CASES / name).read_text("utf-8").splitlines()]


@pytest.mark.parametrize("turn", [
    {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {"name": "decide", "arguments": ARGUMENTS}}]},
    {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "decide", "arguments": json.dumps(ARGUMENTS)}}]},
    {"role": "assistant", "tool_calls": [{"name": "decide", "arguments": ARGUMENTS}]},
    {"role": "assistant", "tool_calls": json.dumps([{"name": "decide", "parameters": ARGUMENTS}])},
    {"role": "assistant", "tool_calls": [json.dumps({"name": "decide", "arguments": ARGUMENTS})]},
    {"role": "assistant", "function_call": {"name": "decide", "arguments": json.dumps(ARGUMENTS)}},
    {"role": "tool_call", "content": json.dumps({"name": "decide", "arguments": ARGUMENTS})},
    {"role": "tool_call", "content": [{"type": "text", "text": json.dumps([{"name": "decide", "arguments": json.dumps(ARGUMENTS)}])}]},
    {"from": "function_call", "value": json.dumps({"name": "decide", "arguments": ARGUMENTS})},
])  # fmt: skip
def test_every_way_to_write_a_call_becomes_the_same_one(turn):
    (call,) = calls_of(turn)
    assert json.dumps(call) == json.dumps(WANTED)


@pytest.mark.parametrize("arguments", [None, "", " ", {}, "{}"])
def test_no_arguments_are_an_empty_object(arguments):
    (call,) = calls_of({"role": "assistant", "tool_calls": [{"function": {"name": "now", "arguments": arguments}}]})
    assert call["function"] == {"name": "now", "arguments": {}}


@pytest.mark.parametrize(("call", "where"), [
    ({"function": {"name": "f", "arguments": "{city: Rome}"}}, "`messages[1].tool_calls[0].function.arguments` is a text but not JSON"),
    ({"function": {"name": "f", "arguments": "[1]"}}, "`messages[1].tool_calls[0].function.arguments` is no object"),
    ({"function": {"name": "f", "arguments": 3}}, "is no object"),
    ({"function": {"name": "f", "arguments": '{"x": NaN}'}}, "not JSON"),
    ({"function": {"name": "f", "arguments": '{"x": "\\ud83d"}'}}, "not JSON"),
    ({"function": {"name": "f", "arguments": '{"x": ' + "[" * 200 + "]" * 200 + "}"}}, "not JSON"),
    ({"function": {"arguments": {}}}, "`messages[1].tool_calls[0]` is no call"),
    ({"function": "f"}, "is no call"),
    ({}, "is no call"),
])  # fmt: skip
def test_what_is_no_call_is_refused_with_its_place(call, where):
    with pytest.raises(UserError, match="TS-DATA-025") as caught:
        calls_of({"role": "assistant", "content": "", "tool_calls": [call]})
    assert where in caught.value.what


def test_keys_beside_the_call_and_their_order_are_kept_and_nulls_of_a_table_left_out():
    given_call = {"type": "function", "id": "c1", "index": None, "function": {"arguments": {"b": 1, "a": None}, "name": "f"}}
    (call,) = calls_of({"role": "assistant", "tool_calls": [given_call]})
    assert json.dumps(call) == '{"type": "function", "id": "c1", "function": {"arguments": {"b": 1, "a": null}, "name": "f"}}'


def test_calls_join_the_assistants_turn_before_them():
    f, g = ({"role": "tool_call", "content": f'{{"name": "{name}", "arguments": {{}}}}'} for name in "fg")
    said = [
        {"role": "user", "content": "Both?"}, {"role": "assistant", "content": "I look."}, f, g,
        {"role": "tool_response", "content": "1"}, {"role": "tool_response", "content": "2"}, {"role": "assistant", "content": "Done."},
    ]  # fmt: skip
    turns = Messages().convert({"messages": said})["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [call["function"]["name"] for call in turns[1]["tool_calls"]] == ["f", "g"]


@given(
    st.recursive(
        st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers()), lambda inner: st.dictionaries(st.text(max_size=3), inner)
    )
)
def test_arguments_as_text_and_as_objects_are_the_same_with_their_keys_in_order(arguments):
    as_object = calls_of({"role": "assistant", "tool_calls": [{"name": "f", "arguments": arguments}]})
    as_text = calls_of({"role": "assistant", "tool_calls": [{"name": "f", "arguments": json.dumps(arguments)}]})
    assert json.dumps(as_object) == json.dumps(as_text)
    assert json.dumps(arguments) in json.dumps(as_object)


def test_the_cases_of_the_field_are_read():
    (text,) = case("arguments-as-text/rows.jsonl")
    assert text["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"city": "Rome"}
    (ordered,) = case("key-order/rows.jsonl")
    assert list(ordered["messages"][1]["tool_calls"][0]["function"]["arguments"]) == ["thought", "answer"]
    assert list(ordered["tools"][0]["function"]["parameters"]["properties"]) == ["thought", "answer"]
    (agent,) = case("roles/swift-agent.jsonl")
    assert [turn["role"] for turn in agent["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert agent["messages"][1]["tool_calls"] == [{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]
