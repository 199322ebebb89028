import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import problems
from tunesmith_data.api import text_of
from tunesmith_prompt_completion.rows import ROW, PromptCompletion
from tunesmith_sdk.testing.hypothesis_strategies import fitting


def convert(row):
    assert list(problems(ROW, row)) == []
    return PromptCompletion().convert(row)


def says(row):
    return [(turn["role"], text_of(turn)) for turn in convert(row)["messages"]]


def test_texts_are_the_users_and_the_assistants_turn():
    assert says({"prompt": "Hi", "completion": "Hello"}) == [("user", "Hi"), ("assistant", "Hello")]
    assert says({"prompt": "Hi", "completion": "Hello", "system": "Be brief."})[0] == ("system", "Be brief.")


def test_lists_of_messages_are_joined():
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    completion = [{"role": "assistant", "content": "Hello"}]
    assert says({"prompt": prompt, "completion": completion}) == [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello")]


def test_an_empty_completion_is_seen_by_the_schema():
    assert list(problems(ROW, {"prompt": "Hi", "completion": ""}))


@pytest.mark.parametrize(("row", "code"), [
    ({"prompt": "Hi", "completion": " "}, "TS-DATA-020"),
    ({"prompt": "Hi", "completion": [{"role": "user", "content": "Hello"}]}, "TS-DATA-021"),
    ({"prompt": "Hi", "completion": "Go away", "label": False}, "TS-DATA-023"),
])  # fmt: skip
def test_rows_that_would_teach_something_else_are_refused(row, code):
    with pytest.raises(UserError, match=code):
        convert(row)


def test_a_label_that_is_true_is_an_ordinary_row():
    assert says({"prompt": "Hi", "completion": "Hello", "label": True}) == [("user", "Hi"), ("assistant", "Hello")]


SAID = st.text(min_size=1, max_size=8)
TURNS = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": SAID}), min_size=1, max_size=3)
PLAUSIBLE = st.fixed_dictionaries({"prompt": SAID | TURNS, "completion": SAID | TURNS})


@given(PLAUSIBLE | fitting(ROW, st.sampled_from(["", " ", "text", "<image>", "[]"]) | st.text(max_size=8)))
def test_any_row_that_fits_converts_or_says_why_and_no_text_is_lost(row):
    try:
        converted = convert(row)
    except UserError:
        return
    kept = json.dumps(converted["messages"], ensure_ascii=False)
    texts = [row.get("system") or ""]
    for value in (row["prompt"], row["completion"]):
        texts += [value] if isinstance(value, str) else [turn["content"] for turn in value if isinstance(turn.get("content"), str)]
    assert all(json.dumps(piece, ensure_ascii=False)[1:-1] in kept for text in texts for piece in text.split("<image>") if piece.strip())
