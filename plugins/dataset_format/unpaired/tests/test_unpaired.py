import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema, text_of
from tunesmith_preference.api import ROW as PAIR
from tunesmith_sdk.testing.hypothesis_strategies import fitting
from tunesmith_unpaired.label import BAD, GOOD
from tunesmith_unpaired.pairs import Pairs
from tunesmith_unpaired.rows import ROW, Unpaired

SCHEMA = RowSchema(ROW)
CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def convert(row):
    assert list(SCHEMA.problems(row)) == []
    return Unpaired().convert(row)


def says(turns):
    return [(turn["role"], text_of(turn)) for turn in turns]


@pytest.mark.parametrize("row", [
    {"prompt": "Hi", "completion": "Hello", "label": True},
    {"prompt": CHAT[:1], "completion": CHAT[1:], "label": 1},
    {"messages": CHAT, "label": "desirable"},
    {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "kto_tag": True},
    {"instruction": "Hi", "input": "", "output": "Hello", "kto_tag": "True"},
])  # fmt: skip
def test_all_spellings_give_the_same_row(row):
    made = convert(row)
    assert (says(made["messages"]), says(made["answer"]), made["label"]) == ([("user", "Hi")], [("assistant", "Hello")], True)


@pytest.mark.parametrize(("words", "label"), [(GOOD, True), (BAD, False), ((True, 1), True), ((False, 0, -1), False)])
def test_labels_are_read_in_every_word_for_them(words, label):
    for word in words:
        for written in {word, word.upper(), f" {word} "} if isinstance(word, str) else {word}:
            assert convert({"messages": CHAT, "label": written})["label"] is label


def test_the_answer_of_a_conversation_is_what_follows_the_users_last_turn():
    made = convert({"messages": [*CHAT, *CHAT], "label": False, "system": "Be kind."})
    assert says(made["messages"]) == [("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Hi")]
    assert says(made["answer"]) == [("assistant", "Hello")]


def test_pictures_of_the_prompt_are_kept():
    made = convert({"prompt": "<image>What?", "completion": "A cat", "label": True, "images": ["a.png"]})
    assert made["messages"][0]["content"][0] == {"type": "image", "path": "a.png"}


@pytest.mark.parametrize(("row", "code"), [
    ({"messages": CHAT, "label": None}, "TS-DATA-076"),
    ({"messages": CHAT, "label": True, "kto_tag": False}, "TS-DATA-076"),
    ({"messages": CHAT[:1], "label": True}, "TS-DATA-021"),
    ({"messages": CHAT[1:], "label": True}, "TS-DATA-020"),
    ({"prompt": "Hi", "completion": " ", "label": True}, "TS-DATA-020"),
    ({"instruction": "Hi", "output": None, "label": True}, "TS-DATA-021"),
])  # fmt: skip
def test_rows_that_say_nothing_certain_are_refused(row, code):
    with pytest.raises(UserError, match=code):
        convert(row)


@pytest.mark.parametrize("label", ["maybe", 2, 0.5, "0.5", []])
def test_other_labels_do_not_fit(label):
    assert list(SCHEMA.problems({"messages": CHAT, "label": label}))


def test_a_pair_is_a_good_answer_and_a_bad_one():
    good, bad = Pairs().convert({"prompt": "Hi", "chosen": "Hello", "rejected": "No", "margin": 1})
    assert good["messages"] == bad["messages"]
    assert (says(good["answer"]), good["label"]) == ([("assistant", "Hello")], True)
    assert (says(bad["answer"]), bad["label"]) == ([("assistant", "No")], False)
    assert "margin" not in good


@given(fitting(ROW, st.sampled_from(["", " ", "Hi", "good", "<image>"])))
def test_any_row_that_fits_converts_or_says_why(row):
    if not SCHEMA.fits(row):
        return
    try:
        made = Unpaired().convert(row)
    except UserError:
        return
    assert made["answer"][0]["role"] == "assistant"
    assert isinstance(made["label"], bool)
    assert made["messages"]


@given(fitting(PAIR, st.sampled_from(["", "Hi", "Ho"])))
def test_any_pair_that_fits_converts_or_says_why(row):
    try:
        made = Pairs().convert(row)
    except UserError:
        return
    assert [one["label"] for one in made] == [True, False]
