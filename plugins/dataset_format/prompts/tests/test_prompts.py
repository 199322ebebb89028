import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema, text_of
from tunesmith_prompts.rows import ANSWERS, ROW, Prompts
from tunesmith_sdk.testing.hypothesis_strategies import fitting

SCHEMA = RowSchema(ROW)
CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "<image>Why?"}]


def convert(row):
    assert list(SCHEMA.problems(row)) == []
    return Prompts().convert(row)


def test_a_text_is_the_users_turn():
    made = convert({"prompt": "Hi", "system": "Be kind."})
    assert [(turn["role"], text_of(turn)) for turn in made["messages"]] == [("system", "Be kind."), ("user", "Hi")]


@pytest.mark.parametrize("column", ["prompt", "messages"])
def test_turns_are_kept_with_their_pictures(column):
    made = convert({column: CHAT, "images": ["a.png"]})
    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant", "user"]
    assert made["messages"][2]["content"][0] == {"type": "image", "path": "a.png"}


@pytest.mark.parametrize(("row", "code"), [
    ({"messages": CHAT[:2]}, "TS-DATA-072"),
    ({"prompt": None, "messages": None}, "TS-DATA-020"),
    ({"prompt": " "}, "TS-DATA-020"),
])  # fmt: skip
def test_what_is_no_question_is_refused(row, code):
    with pytest.raises(UserError, match=code):
        convert(row)


@pytest.mark.parametrize("column", ANSWERS)
def test_rows_with_an_answer_are_none(column):
    assert list(SCHEMA.problems({"prompt": "Hi", column: "Hello"}))


@given(fitting(ROW, st.sampled_from(["", " ", "Hi"])))
def test_any_row_that_fits_converts_or_says_why(row):
    if not SCHEMA.fits(row):
        return
    try:
        made = Prompts().convert(row)
    except UserError:
        return
    assert made["messages"][-1]["role"] != "assistant"
