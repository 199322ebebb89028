"""Several answers with scores or ranks become pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema, text_of
from tunesmith_preference.scored import ROW, ScoredAnswers
from tunesmith_preference.settings import ScoredSettings
from tunesmith_sdk.testing.hypothesis_strategies import fitting

SCHEMA = RowSchema(ROW)


def pairs(row, **settings):
    assert list(SCHEMA.problems(row)) == []
    made = ScoredAnswers(ScoredSettings(**settings)).convert(row)
    return [(text_of(one["chosen"][0]), text_of(one["rejected"][0]), one.get("margin")) for one in made]


def answers(**lists):
    return {"prompt": "Hi", "responses": ["a", "b", "c"], **lists}


@pytest.mark.parametrize(("row", "found"), [
    (answers(scores=[1, 3, 2]), ("b", "a", 2.0)),
    (answers(rating=["1", "3", "2"]), ("b", "a", 2.0)),
    (answers(ranks=[3, 1, 2]), ("b", "a", None)),
    ({"question": "Hi", "completions": [{"response": "a", "overall_score": 1.5}, {"response": "b", "overall_score": 4}]}, ("b", "a", 2.5)),
    ({"prompt": "Hi", "answers": [{"answer": "a", "rank": 2.0}, {"answer": "b", "rank": 1.0}]}, ("b", "a", None)),
])  # fmt: skip
def test_the_best_is_paired_with_the_worst(row, found):
    assert pairs(row) == [found]


def test_a_setting_says_which_pairs():
    row = answers(scores=[1, 3, 2])
    assert pairs(row, pairs="best-others") == [("b", "a", 2.0), ("b", "c", 1.0)]
    assert pairs(row, pairs="all") == [("b", "a", 2.0), ("c", "a", 1.0), ("b", "c", 1.0)]


def test_a_ranking_that_can_be_read_in_two_ways_is_refused_until_it_is_said_which():
    row = answers(ranking=[2, 3, 1])  # c, a, b by ranks; b, c, a by order
    with pytest.raises(UserError, match="TS-DATA-073"):
        pairs(row)
    assert pairs(row, ranking="ranks") == [("c", "b", None)]
    assert pairs(row, ranking="order") == [("b", "a", None)]
    assert pairs(answers(ranking=[3, 2, 1])) == [("c", "a", None)]
    assert pairs(answers(ranking=[1, 1, 2])) == [("a", "c", None)]


@pytest.mark.parametrize(("row", "code"), [
    (answers(), "TS-DATA-073"),
    (answers(scores=[1, 2]), "TS-DATA-073"),
    (answers(scores=[1, None, 2]), "TS-DATA-073"),
    (answers(scores=[1, "N/A", 2]), "TS-DATA-073"),
    (answers(scores=[1, "nan", 2]), "TS-DATA-073"),
    (answers(scores=[2, 2, 2]), "TS-DATA-070"),
    ({"prompt": "Hi", "responses": ["a", " a"], "scores": [1, 2]}, "TS-DATA-070"),
    ({"prompt": "Hi", "responses": ["a", " "], "scores": [1, 2]}, "TS-DATA-020"),
    ({"prompt": "Hi", "completions": [{"response": "a", "score": 1}, {"response": "b"}]}, "TS-DATA-073"),
    ({"prompt": "Hi", "completions": None}, "TS-DATA-020"),
    ({"prompt": None, "responses": ["a", "b"], "scores": [1, 2]}, "TS-DATA-024"),
])  # fmt: skip
def test_what_can_not_be_told_apart_is_refused(row, code):
    with pytest.raises(UserError, match=code):
        pairs(row)


ANSWERS = st.lists(st.tuples(st.text(min_size=1, max_size=3).filter(str.strip), st.integers(0, 3)), min_size=2, max_size=5)


@given(ANSWERS, st.sampled_from(["best-worst", "best-others", "all"]))
def test_the_chosen_one_always_has_the_higher_score(scored, which):
    row = {"prompt": "Hi", "responses": [text for text, _ in scored], "scores": [score for _, score in scored]}
    better = sorted((one, other) for one, score in scored for other, less in scored if score > less and one.strip() != other.strip())
    try:
        found = pairs(row, pairs=which)
    except UserError:
        assert which != "all" or not better
        return
    assert {(chosen, rejected) for chosen, rejected, _ in found} <= set(better)
    assert all(margin > 0 for _, _, margin in found)
    if which == "all":
        assert sorted((chosen, rejected) for chosen, rejected, _ in found) == better


@given(fitting(ROW, st.sampled_from(["", "a", "3", "N/A"])))
def test_any_row_that_fits_converts_or_says_why(row):
    try:
        made = ScoredAnswers().convert(row)
    except UserError:
        return
    assert made
    assert all(one["chosen"] != one["rejected"] for one in made)
