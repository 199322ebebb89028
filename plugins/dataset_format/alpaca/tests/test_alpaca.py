import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import problems
from tunesmith_alpaca.rows import ROW, Alpaca
from tunesmith_data.api import text_of
from tunesmith_sdk.testing.hypothesis_strategies import fitting


def convert(row):
    assert list(problems(ROW, row)) == []
    return [(turn["role"], text_of(turn)) for turn in Alpaca().convert(row)["messages"]]


def test_instruction_and_input_are_the_users_turn():
    assert convert({"instruction": "Translate.", "input": "chat", "output": "cat"}) == [("user", "Translate.\nchat"), ("assistant", "cat")]
    assert convert({"instruction": "Say hi.", "input": "", "output": "hi"}) == [("user", "Say hi."), ("assistant", "hi")]


def test_system_and_history_come_first():
    row = {"instruction": "And now?", "output": "Two.", "system": "Count.", "history": [["Start.", "One."]]}
    assert convert(row) == [("system", "Count."), ("user", "Start."), ("assistant", "One."), ("user", "And now?"), ("assistant", "Two.")]


def test_an_empty_output_is_seen_by_the_schema():
    assert dict(problems(ROW, {"instruction": "Say hi.", "output": ""})) == {"output": "should not be empty"}


def test_a_blank_output_is_refused():
    with pytest.raises(UserError, match="TS-DATA-020"):
        convert({"instruction": "Say hi.", "output": " \n"})


@given(fitting(ROW, st.sampled_from(["", " ", "a\n"]) | st.text(max_size=8)))
def test_any_row_that_fits_converts_or_says_why_and_no_text_is_lost(row):
    try:
        turns = convert(row)
    except UserError:
        return
    said = [text for _, text in turns]
    texts = [row["instruction"], row.get("input") or "", row["output"], row.get("system") or ""]
    texts += [text for exchange in row.get("history") or [] for text in exchange]
    assert all(any(text in turn for turn in said) for text in texts if text.strip())
