import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema, text_of
from tunesmith_preference.rows import (
    PREFERRED_OUTPUT,
    PROMPTS,
    REJECTED_RESPONSE,
    ROW,
    Preference,
    PreferredOutput,
    RejectedMessages,
    RejectedResponse,
)
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
    with pytest.raises(UserError, match=r"TS-DATA-0(24|70)"):
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


IMAGES = {"images": ["one.png"]}
SEEN = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]}]
SAID = [*SEEN, {"role": "assistant", "content": "A cat"}]


@pytest.mark.parametrize("row", [
    {"prompt": "<image>What?", "chosen": "A cat", "rejected": "A dog"},
    {"prompt": SEEN, "chosen": SAID[1:], "rejected": "A dog"},
    {"chosen": SAID, "rejected": [*SEEN, {"role": "assistant", "content": "A dog"}]},
    {"prompt": SEEN, "chosen": SAID, "rejected": [*SEEN, {"role": "assistant", "content": "A dog"}]},
    {"prompt": "<image>What?", "chosen": chat("<image>What?", "A cat"), "rejected": chat("<image>What?", "A dog")},
])  # fmt: skip
def test_a_picture_of_the_prompt_is_one_for_both_answers(row):
    made = convert(row | IMAGES)
    assert made["messages"][0]["content"] == [{"type": "image", "path": "one.png"}, {"type": "text", "text": "What?"}]
    assert (says(made["chosen"]), says(made["rejected"])) == ([("assistant", "A cat")], [("assistant", "A dog")])


def test_pictures_in_the_answers_are_each_ones_own():
    made = convert({"prompt": "Draw", "chosen": "<image>", "rejected": "<image>", "images": ["a.png", "b.png"]})
    assert [made[side][0]["content"][0]["path"] for side in ("chosen", "rejected")] == ["a.png", "b.png"]


@pytest.mark.parametrize("images", [[], ["a.png", "b.png"]])
def test_pictures_that_do_not_match_the_texts_are_refused(images):
    with pytest.raises(UserError, match="TS-DATA-022"):
        convert({"chosen": SAID, "rejected": [*SEEN, {"role": "assistant", "content": "A dog"}], "images": images})


@pytest.mark.parametrize(("columns", "margin"), [
    ({"margin": 2}, 2.0), ({"margin": None}, None), ({}, None), ({"score_chosen": 7.5, "score_rejected": 7}, 0.5),
    ({"chosen_rating": 5, "rejected_rating": 5}, 0.0), ({"score_chosen": 7.5}, None),
    ({"margin": 1, "score_chosen": 9, "score_rejected": 1}, 1.0),
])  # fmt: skip
def test_a_margin_is_kept_or_made_of_scores(columns, margin):
    assert convert({"prompt": "Hi", "chosen": "Hello", "rejected": "No", **columns}).get("margin") == margin


@pytest.mark.parametrize(
    ("columns", "category"), [({"category": "safety"}, "safety"), ({"subset": "math"}, "math"), ({"category": ""}, None)]
)
def test_a_category_is_kept(columns, category):
    assert convert({"prompt": "Hi", "chosen": "Hello", "rejected": "No", **columns}).get("category") == category


@pytest.mark.parametrize("columns", [{"margin": -0.5}, {"chosen_score": 1, "rejected_score": 2}])
def test_a_margin_below_zero_is_refused(columns):
    with pytest.raises(UserError, match="TS-DATA-073"):
        convert({"prompt": "Hi", "chosen": "Hello", "rejected": "No", **columns})


def test_a_preferred_output_follows_the_input():
    turn = lambda text: [{"role": "assistant", "content": text}]  # noqa: E731
    tools = [{"type": "function", "function": {"name": "look"}}]
    row = {"input": {"messages": chat("Hi"), "tools": tools}, "preferred_output": turn("Hello"), "non_preferred_output": turn("No")}
    assert list(RowSchema(PREFERRED_OUTPUT).problems(row)) == []
    made = PreferredOutput().convert(row)
    assert (says(made["messages"]), says(made["chosen"]), says(made["rejected"])) == (
        [("user", "Hi")], [("assistant", "Hello")], [("assistant", "No")],
    )  # fmt: skip
    assert made["tools"][0]["function"]["name"] == "look"


@given(fitting(PREFERRED_OUTPUT, st.sampled_from(["", "Hi"])))
def test_any_row_with_a_preferred_output_converts_or_says_why(row):
    with contextlib.suppress(UserError):
        PreferredOutput().convert(row)
