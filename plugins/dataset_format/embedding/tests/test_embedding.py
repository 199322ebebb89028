import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema
from tunesmith_embedding.rows import ROW, Embedding
from tunesmith_sdk.testing.hypothesis_strategies import fitting

SCHEMA = RowSchema(ROW)


def convert(row):
    assert list(SCHEMA.problems(row)) == []
    return Embedding().convert(row)


@pytest.mark.parametrize(("row", "negatives"), [
    ({"anchor": "a", "positive": "p"}, []),
    ({"query": "a", "positive": "p", "negative": "n"}, ["n"]),
    ({"anchor": "a", "positive": "p", "negative_1": "n", "negative_2": "m"}, ["n", "m"]),
    ({"query": "a", "pos": ["p"], "neg": ["n", "m"]}, ["n", "m"]),
    ({"query": "a", "pos": ["p"], "neg": ["n", " "], "hard_negatives": None}, ["n"]),
])  # fmt: skip
def test_all_spellings_give_the_same_row(row, negatives):
    assert convert(row) == [{"anchor": "a", "positive": "p", "negatives": negatives}]


def test_each_positive_gives_a_row():
    assert [made["positive"] for made in convert({"query": "a", "pos": ["p", "q"], "neg": ["n"]})] == ["p", "q"]


@pytest.mark.parametrize(("row", "code"), [
    ({"anchor": " ", "positive": "p"}, "TS-DATA-020"),
    ({"anchor": "a", "positive": []}, "TS-DATA-020"),
    ({"anchor": "a", "positive": ["p", ""]}, "TS-DATA-020"),
    ({"anchor": "a", "positive": "p", "negative": "p"}, "TS-DATA-070"),
    ({"sentence1": "a", "sentence2": "b", "score": 0.2}, "TS-DATA-074"),
])  # fmt: skip
def test_what_is_no_pair_is_refused(row, code):
    with pytest.raises(UserError, match=code):
        convert(row)


@given(fitting(ROW, st.sampled_from(["", " ", "a", "b"])))
def test_any_row_that_fits_converts_or_says_why(row):
    if not SCHEMA.fits(row):
        return
    try:
        made = Embedding().convert(row)
    except UserError:
        return
    assert made
    assert all(one["anchor"].strip() and one["positive"].strip() for one in made)
