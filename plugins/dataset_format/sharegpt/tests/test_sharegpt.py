import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import problems
from tunesmith_data.api import text_of
from tunesmith_sdk.testing.hypothesis_strategies import fitting
from tunesmith_sharegpt.rows import ROW, ShareGPT


def convert(row):
    assert list(problems(ROW, row)) == []
    return ShareGPT().convert(row)


def turns(*pairs):
    return [{"from": sender, "value": value} for sender, value in pairs]


def roles(row):
    return [(turn["role"], text_of(turn)) for turn in convert(row)["messages"]]


@pytest.mark.parametrize(("asker", "answerer"), [("human", "gpt"), ("user", "assistant"), ("human", "bing")])
def test_senders_become_roles(asker, answerer):
    row = {"conversations": turns(("system", "Be brief."), (asker, "Hi"), (answerer, "Hello"))}
    assert roles(row) == [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello")]


def test_a_system_column_comes_first():
    assert roles({"conversations": turns(("human", "Hi"), ("gpt", "Hello")), "system": "Be brief."})[0] == ("system", "Be brief.")


def test_function_calls_become_tool_calls_and_observations_tool_turns():
    call = {"name": "weather", "arguments": {"city": "Oslo"}}
    conversation = turns(("human", "Rain?"), ("function_call", json.dumps(call)), ("observation", "dry"), ("gpt", "No."))
    row = convert({"conversations": conversation, "tools": '[{"name": "weather"}]'})
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert row["messages"][1]["tool_calls"] == [{"type": "function", "function": call}]
    assert row["tools"] == [{"name": "weather"}]


def test_a_function_call_that_is_no_call_is_refused_with_what_would_be_learnt_as_text():
    with pytest.raises(UserError, match="TS-DATA-025") as caught:
        convert({"conversations": turns(("human", "Rain?"), ("function_call", "weather(Oslo)"))})
    assert "`gpt`" in caught.value.fix


def test_image_placeholders_take_the_images():
    row = convert({"conversations": turns(("human", "<image>\nWhat is it?"), ("gpt", "A cat.")), "image": "a.png"})
    assert row["messages"][0]["content"] == [{"type": "image", "path": "a.png"}, {"type": "text", "text": "\nWhat is it?"}]


def test_an_image_without_a_place_is_refused():
    with pytest.raises(UserError, match="TS-DATA-022"):
        convert({"conversations": turns(("human", "What is it?"), ("gpt", "A cat.")), "images": ["a.png"]})


def test_a_misspelt_sender_is_seen_by_the_schema():
    assert "human" in dict(problems(ROW, {"conversations": turns(("humna", "Hi"))}))["conversations[0].from"]


@pytest.mark.parametrize(("conversation", "code"), [
    (turns(("human", "Hi"), ("gpt", "")), "TS-DATA-020"),
    (turns(("human", "Hi")), "TS-DATA-021"),
])  # fmt: skip
def test_rows_that_would_teach_nothing_are_refused(conversation, code):
    with pytest.raises(UserError, match=code):
        convert({"conversations": conversation})


CALLING = ("function_call", "tool_call")


@given(fitting(ROW, st.sampled_from(["", "<image>", "see <image>!", "[]", '{"name": "f", "arguments": "x"}']) | st.text(max_size=8)))
def test_any_row_that_fits_converts_or_says_why_and_no_text_is_lost(row):
    try:
        converted = convert(row)
    except UserError:
        return
    kept = [part.get("text") for turn in converted["messages"] for part in turn["content"]]
    for turn in [*row["conversations"], {"from": "system", "value": row.get("system") or ""}]:
        sender, said = turn.get("from") or turn["role"], turn.get("value") or turn.get("content") or ""
        texts = [said] if isinstance(said, str) else [part.get("text") or "" for part in said]
        called = any(sender in CALLING and t.get("tool_calls") for t in converted["messages"])
        pieces = [piece for text in texts for piece in text.split("<image>") if piece.strip()]
        assert called or all(any(piece in (text or "") for text in kept) for piece in pieces)
