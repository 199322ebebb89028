import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema, text_of
from tunesmith_preference.rows import PROMPTS, REJECTED_RESPONSE, ROW, Preference, RejectedMessages, RejectedResponse
from tunesmith_sdk.testing.hypothesis_strategies import fitting

SCHEMA = RowSchema(ROW)


def convert(row):
    assert list(SCHEMA.problems(row)) == []
    return Preference().convert(row)


def says(turns):
    return [(turn["role"], text_of(turn)) for turn in turns]


def chat(*texts):
    return [{"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(texts)]


def test_texts_are_a_prompt_and_two_answers():
    row = convert({"prompt": "Hi", "chosen": "Hello", "rejected": "Go away"})
    assert says(row["messages"]) == [("user", "Hi")]
    assert (says(row["chosen"]), says(row["rejected"])) == ([("assistant", "Hello")], [("assistant", "Go away")])


@pytest.mark.parametrize("column", ["question", "instruction"])
def test_other_names_of_the_prompt_are_read(column):
    assert says(convert({column: "Hi", "chosen": "Hello", "rejected": "No", "system": "Be kind."})["messages"]) == [
        ("system", "Be kind."), ("user", "Hi"),
    ]  # fmt: skip


def test_the_prompt_of_whole_conversations_is_what_they_share():
    row = convert({"chosen": chat("Hi", "Hello", "Well?", "Fine"), "rejected": chat("Hi", "Hello", "Well?", "Bad")})
    assert says(row["messages"]) == [("user", "Hi"), ("assistant", "Hello"), ("user", "Well?")]
    assert says(row["chosen"]) == [("assistant", "Fine")]


@pytest.mark.parametrize("prompt", ["Hi", [{"role": "user", "content": "Hi"}], "Well?"])
def test_a_prompt_that_the_conversations_repeat_is_not_doubled(prompt):
    row = convert({"prompt": prompt, "chosen": chat("Hi", "Hello", "Well?", "Fine"), "rejected": chat("Hi", "Hello", "Well?", "Bad")})
    assert says(row["messages"]) == [("user", "Hi"), ("assistant", "Hello"), ("user", "Well?")]


def test_a_conversation_that_goes_on_where_the_other_ends_keeps_both_answers():
    row = convert({"chosen": chat("Hi", "Hello"), "rejected": chat("Hi", "Hello", "More", "No")})
    assert (len(row["messages"]), len(row["chosen"]), len(row["rejected"])) == (1, 1, 3)


def test_its_own_output_is_such_a_row():
    once = convert({"prompt": "Hi", "chosen": "Hello", "rejected": "Go away"})
    assert convert(once) == once


@pytest.mark.parametrize("row", [
    {"prompt": "Hi", "chosen": "Hello", "rejected": "Hello"},
    {"chosen": "Hello", "rejected": "Go away"},
    {"chosen": chat("Hi", "Hello"), "rejected": chat("Hey", "Go away")},
    {"prompt": "Hi", "chosen": chat("Hey", "Hello"), "rejected": chat("Hey", "Go away")},
])  # fmt: skip
def test_pairs_without_a_choice_on_one_prompt_are_refused(row):
    with pytest.raises(UserError, match="TS-DATA-024"):
        convert(row)


SAID = st.sampled_from(["Hi", "Ho"]) | st.text(min_size=1, max_size=5)
TALK = st.lists(SAID, max_size=5).map(lambda texts: chat(*texts))
PAIR = st.tuples(st.sampled_from(PROMPTS), SAID | TALK, TALK, TALK | SAID, TALK | SAID)


@st.composite
def plausible(draw):
    column, prompt, shared, chosen, rejected = draw(PAIR)
    whole = [answer if isinstance(answer, str) else [*shared, *answer] or "No." for answer in (chosen, rejected)]
    return {"chosen": whole[0], "rejected": whole[1]} | draw(st.sampled_from([{}, {column: prompt}]))


@given(plausible() | fitting(ROW, st.sampled_from(["", " ", "text", "<image>", "Hi", "Ho"]) | st.text(max_size=8)))
def test_any_row_that_fits_converts_or_says_why_and_no_text_is_lost(row):
    try:
        converted = convert(row)
    except UserError:
        return
    kept = json.dumps([converted["messages"], converted["chosen"], converted["rejected"]], ensure_ascii=False)
    prompt = next((row[name] for name in PROMPTS if row.get(name)), "")
    texts = [row.get("system") or ""]
    for value in (prompt, row["chosen"], row["rejected"]):
        texts += [value] if isinstance(value, str) else [turn["content"] for turn in value if isinstance(turn.get("content"), str)]
    assert all(json.dumps(piece, ensure_ascii=False)[1:-1] in kept for text in texts for piece in text.split("<image>") if piece.strip())


@pytest.mark.parametrize("sender", [("from", "value"), ("role", "content")])
def test_answers_that_are_one_turn_follow_the_conversation(sender):
    turn = lambda who, text: {sender[0]: who, sender[1]: text}  # noqa: E731
    row = convert({"conversations": [turn("human", "Hi")], "chosen": turn("gpt", "Hello"), "rejected": turn("gpt", "Go away")})
    assert (says(row["messages"]), says(row["chosen"])) == ([("user", "Hi")], [("assistant", "Hello")])


def test_a_rejected_response_is_beside_the_conversations_last_answer():
    turns = chat("Hi", "Hello", "Well?", "Fine")
    row = RejectedResponse().convert({"messages": turns, "rejected_response": "Bad", "system": "Be kind."})
    assert says(row["messages"]) == [("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Well?")]
    assert (says(row["chosen"]), says(row["rejected"])) == ([("assistant", "Fine")], [("assistant", "Bad")])


def test_two_whole_conversations_are_compared_from_where_they_part():
    row = RejectedMessages().convert({"messages": chat("Hi", "Hello"), "rejected_messages": chat("Hi", "Go away")})
    assert (says(row["messages"]), says(row["rejected"])) == ([("user", "Hi")], [("assistant", "Go away")])


@given(fitting(REJECTED_RESPONSE, st.sampled_from(["", "Hi"])))
def test_any_row_with_a_rejected_response_converts_or_says_why(row):
    with contextlib.suppress(UserError):
        RejectedResponse().convert(row)
