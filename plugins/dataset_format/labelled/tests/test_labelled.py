import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema, text_of
from tunesmith_labelled.rows import ROW, TAGS, Labelled
from tunesmith_sdk.testing.hypothesis_strategies import fitting

SCHEMA = RowSchema(ROW)


def convert(row):
    assert list(SCHEMA.problems(row)) == []
    return Labelled().convert(row)


@pytest.mark.parametrize(
    ("label", "kept"), [("spam", "spam"), (" spam ", "spam"), (3, 3), (2.0, 2), (0.5, 0.5), (True, "true"), (False, "false")]
)
def test_a_class_is_a_name_or_a_number(label, kept):
    made = convert({"text": " Hi\n", "label": label})
    assert made == {"text": " Hi\n", "label": kept}
    assert type(made["label"]) is type(kept)


def test_a_conversation_has_a_class():
    made = convert({"messages": [{"role": "user", "content": "<image>Hi"}], "label": 1, "system": "Sort.", "image": "a.png"})
    assert ([turn["role"] for turn in made["messages"]], text_of(made["messages"][1]), made["label"]) == (["system", "user"], "Hi", 1)


@pytest.mark.parametrize("told", [{"text": "Hi"}, {"messages": [{"role": "user", "content": "Hi"}]}])
@pytest.mark.parametrize(("labels", "kept"), [(["price", " late "], ["price", "late"]), ([2, True], [2, "true"]), ([], [])])
def test_a_text_has_several_classes_or_none(told, labels, kept):
    made = convert({**told, "labels": labels})
    assert (made["labels"], "label" in made) == (kept, False)


@pytest.mark.parametrize("column", TAGS)
def test_each_word_has_a_class(column):
    made = convert({"tokens": ["Ann", "sleeps"], column: ["PERSON", "O"]})
    assert made == {"tokens": ["Ann", "sleeps"], "labels": ["PERSON", "O"]}


@pytest.mark.parametrize(("row", "code"), [
    ({"text": " ", "label": 1}, "TS-DATA-020"),
    ({"text": "Hi", "label": None}, "TS-DATA-076"),
    ({"text": "Hi", "label": " "}, "TS-DATA-076"),
    ({"text": None, "label": 1}, "TS-DATA-020"),
    ({"tokens": ["Ann"], "ner_tags": [0, 1]}, "TS-DATA-075"),
    ({"tokens": ["Ann"], "labels": []}, "TS-DATA-075"),
    ({"text": "Hi", "labels": [0, 1, 0]}, "TS-DATA-076"),
    ({"text": "Hi", "labels": ["a"], "label": "a"}, "TS-DATA-076"),
    ({"text": "Hi", "labels": [" "]}, "TS-DATA-076"),
])  # fmt: skip
def test_rows_without_a_class_for_something_are_refused(row, code):
    with pytest.raises(UserError, match=code):
        convert(row)


@given(fitting(ROW, st.sampled_from(["", " ", "Hi"])))
def test_any_row_that_fits_converts_or_says_why(row):
    if not SCHEMA.fits(row):
        return
    try:
        made = Labelled().convert(row)
    except UserError:
        return
    assert "tokens" not in made or len(made["tokens"]) == len(made["labels"])
    assert ("label" in made) != ("labels" in made)
