import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import problems
from tunesmith_data.api import text_of
from tunesmith_messages.rows import ROW, Messages
from tunesmith_sdk.testing.hypothesis_strategies import fitting

WORDS = st.sampled_from(["", " ", "<image>", "text", "image_url", "[]", "see <image> and <audio>"]) | st.text(max_size=12)


def convert(row):
    assert list(problems(ROW, row)) == []
    return Messages().convert(row)


def turns(*pairs):
    return [{"role": role, "content": content} for role, content in pairs]


def test_strings_become_text_parts():
    row = convert({"messages": turns(("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"))})
    assert [(m["role"], text_of(m)) for m in row["messages"]] == [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello")]
    assert row["messages"][1]["content"] == [{"type": "text", "text": "Hi"}]


def test_image_url_becomes_an_image_part():
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}
    content = [{"type": "text", "text": "What is it?"}, image]
    row = convert({"messages": turns(("user", content), ("assistant", "A cat."))})
    assert row["messages"][0]["content"][1] == {"type": "image", "url": "https://example.org/a.png"}


def test_input_audio_keeps_its_data():
    content = [{"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}]
    row = convert({"messages": turns(("user", content), ("assistant", "Birdsong."))})
    assert row["messages"][0]["content"] == [{"type": "audio", "url": "data:audio/wav;base64,UklG"}]


def test_placeholders_take_the_images_in_order():
    row = convert({"messages": turns(("user", "<image>or<image>?"), ("assistant", "The first.")), "images": ["a.png", {"path": "b.png"}]})
    assert row["messages"][0]["content"] == [
        {"type": "image", "path": "a.png"},
        {"type": "text", "text": "or"},
        {"type": "image", "path": "b.png"},
        {"type": "text", "text": "?"},
    ]


def test_a_placeholder_without_a_column_is_text():
    row = convert({"messages": turns(("user", "What does the tag <image> do?"), ("assistant", "Nothing."))})
    assert text_of(row["messages"][0]) == "What does the tag <image> do?"


@pytest.mark.parametrize("text", ["no placeholder", "<image><image>"])
def test_images_and_placeholders_must_agree(text):
    with pytest.raises(UserError, match="TS-DATA-022"):
        convert({"messages": turns(("user", text), ("assistant", "Yes.")), "images": ["a.png"]})


def test_tools_and_calls_are_kept():
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    messages = [
        {"role": "user", "content": "1+1?"}, {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "2"}, {"role": "assistant", "content": "2"},
    ]  # fmt: skip
    row = convert({"messages": messages, "tools": json.dumps([{"type": "function", "function": {"name": "add"}}])})
    assert row["tools"] == [{"type": "function", "function": {"name": "add"}}]
    assert row["messages"][1]["tool_calls"] == [{**call, "function": {"name": "add", "arguments": {"a": 1}}}]
    assert row["messages"][2]["tool_call_id"] == "1"


def test_its_own_output_is_such_a_row():
    content = [{"type": "text", "text": "<image>"}, {"type": "image", "path": "a.png"}]
    once = convert({"messages": turns(("user", content), ("assistant", "A cat."))})
    assert convert(once) == once


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (turns(("user", "Hi"), ("assistant", " ")), "TS-DATA-020"),
        (turns(("user", ""), ("assistant", "Hi")), "TS-DATA-020"),
        (turns(("user", "Hi")), "TS-DATA-021"),
        (turns(("user", [{"type": "smell", "text": "roses"}]), ("assistant", "Hi")), "TS-DATA-025"),
        (turns(("user", [{"type": "text"}]), ("assistant", "Hi")), "TS-DATA-025"),
    ],
)
def test_rows_that_would_teach_nothing_are_refused(messages, code):
    with pytest.raises(UserError, match=code):
        convert({"messages": messages})


def test_an_unknown_role_is_seen_by_the_schema():
    found = dict(problems(ROW, {"messages": turns(("asistant", "Hi"))}))
    assert "assistant" in found["messages[0].role"]


PART = st.fixed_dictionaries({"type": st.just("text"), "text": st.text(min_size=1)})
SAID = st.text(min_size=1) | st.lists(PART, min_size=1, max_size=3)
TURN = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": SAID})
PLAUSIBLE = st.fixed_dictionaries({"messages": st.lists(TURN, min_size=1, max_size=5)})


@given(fitting(ROW, WORDS) | PLAUSIBLE)
def test_any_row_that_fits_converts_or_says_why_and_no_text_is_lost(row):
    try:
        converted = convert(row)
    except UserError:
        return
    kept = json.dumps(converted["messages"], ensure_ascii=False)
    for turn in row["messages"]:
        content = turn.get("content") or []
        for text in [content] if isinstance(content, str) else [part["text"] for part in content if part["type"] == "text"]:
            assert all(json.dumps(piece, ensure_ascii=False)[1:-1] in kept for piece in pieces(text) if piece.strip())
        for key in ("name", "tool_call_id"):
            assert json.dumps(turn.get(key) or "", ensure_ascii=False)[1:-1] in kept


@given(fitting(ROW, WORDS) | PLAUSIBLE)
def test_what_it_makes_of_any_row_it_reads_again_as_it_is(row):
    try:
        once = convert(row)
    except UserError:
        return
    assert convert(once) == once


def pieces(text):
    for placeholder in ("<image>", "<audio>", "<video>"):
        text = text.replace(placeholder, "\0")
    return text.split("\0")
