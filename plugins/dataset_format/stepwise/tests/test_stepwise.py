import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema, text_of
from tunesmith_sdk.testing.hypothesis_strategies import fitting
from tunesmith_stepwise import math_shepherd, prm800k, rows
from tunesmith_stepwise.math_shepherd import MARK, MathShepherd
from tunesmith_stepwise.prm800k import RatedSteps
from tunesmith_stepwise.rows import Stepwise
from tunesmith_stepwise.settings import RatingSettings

STEP = st.text(st.characters(exclude_characters="ки:", exclude_categories=("Cs",)), min_size=1, max_size=9).map(str.strip).filter(bool)


def solved(row):
    assert list(RowSchema(rows.ROW).problems(row)) == []
    return Stepwise().convert(row)


@pytest.mark.parametrize("labels", [[True, False], [1, 0], [1, -1], ["+", "-"]])
def test_each_step_has_a_label(labels):
    made = solved({"prompt": "2 + 3 * 4?", "completions": ["12", "15"], "labels": labels})
    assert ([text_of(turn) for turn in made["messages"]], made["completions"], made["labels"]) == (
        ["2 + 3 * 4?"],
        ["12", "15"],
        [True, False],
    )


@pytest.mark.parametrize(("row", "code"), [
    ({"prompt": "Why?", "completions": ["a", "b"], "labels": [True]}, "TS-DATA-075"),
    ({"prompt": "Why?", "completions": ["a", " "], "labels": [True, True]}, "TS-DATA-020"),
    ({"prompt": " ", "completions": ["a"], "labels": [True]}, "TS-DATA-020"),
    ({"prompt": [{"role": "assistant", "content": "a"}], "completions": ["a"], "labels": [True]}, "TS-DATA-072"),
])  # fmt: skip
def test_rows_without_a_step_for_each_label_are_refused(row, code):
    with pytest.raises(UserError, match=code):
        solved(row)


@given(fitting(rows.ROW, st.sampled_from(["", " ", "a"])))
def test_any_row_that_fits_converts_or_says_why(row):
    try:
        made = Stepwise().convert(row)
    except UserError:
        return
    assert len(made["completions"]) == len(made["labels"])


@given(STEP, st.lists(st.tuples(STEP, st.booleans()), min_size=1, max_size=4))
def test_marked_steps_are_read_as_they_were_written(question, steps):
    told = [f"Step {number}: {text}" for number, (text, _) in enumerate(steps, 1)]
    text = f"{question} " + "\n".join(f"{step} {MARK}" for step in told)
    label = f"{question} " + "\n".join(f"{step} {'+' if good else '-'}" for step, (_, good) in zip(told, steps, strict=True))
    row = {"input": text, "label": label, "task": "GSM8K"}
    assert list(RowSchema(math_shepherd.ROW).problems(row)) == []
    made = MathShepherd().convert(row)
    assert (text_of(made["messages"][0]), made["completions"], made["labels"]) == (question, told, [good for _, good in steps])


@pytest.mark.parametrize(("text", "label"), [
    ("Why? Step 1: a ки", "Why? Step 1: b +"),
    ("Why? Step 1: a ки", "Why? Step 1: a ки"),
    ("Why? Step 1: a ки\nStep 2: b ки", "Why? Step 1: a +"),
    ("Why? Step 1: a ки Step 2: b", "Why? Step 1: a + Step 2: b"),
    ("Why? a ки", "Why? a +"),
    ("Step 1: a ки", "Step 1: a +"),
    ("Why? Step 1: Step 1: a ки", "Why? Step 1: Step 1: a +"),
])  # fmt: skip
def test_marks_that_can_not_be_told_for_certain_are_refused(text, label):
    with pytest.raises(UserError, match="TS-DATA-075"):
        MathShepherd().convert({"input": text, "label": label})


def rated(*steps):
    return {"question": {"problem": "2 + 3 * 4?"}, "label": {"steps": list(steps)}}


def step(*completions, chosen=None, human=None):
    made = [{"text": text, "rating": rating} for text, rating in completions]
    return {"completions": made, "chosen_completion": chosen, "human_completion": human}


def found(row, **settings):
    assert list(RowSchema(prm800k.ROW).problems(row)) == []
    return [(made["completions"], made["labels"]) for made in RatedSteps(RatingSettings(**settings)).convert(row)]


def test_what_was_taken_is_one_row_and_each_other_step_ends_one():
    row = rated(step(("a", 1), ("b", -1), chosen=0), step(("c", 0), ("d", 1), chosen=1))
    assert found(row) == [(["b"], [False]), (["a", "c"], [True, False]), (["a", "d"], [True, True])]
    assert found(row, neutral="right")[1] == (["a", "c"], [True, True])


def test_a_solution_that_was_given_up_ends_with_what_was_wrong_in_it():
    assert found(rated(step(("a", 1), chosen=0), step(("b", -1), ("c", -1)))) == [(["a", "b"], [True, False]), (["a", "c"], [True, False])]


def test_what_a_person_wrote_is_right():
    row = rated(step(("a", -1), human={"text": "h", "rating": None}), step(("b", 1), chosen=0))
    assert found(row) == [(["a"], [False]), (["h", "b"], [True, True])]


@pytest.mark.parametrize("row", [rated(step()), rated(step(("a", None), chosen=0)), rated(step(("a", 1), chosen=3))])
def test_a_row_that_nobody_rated_is_refused(row):
    with pytest.raises(UserError, match="TS-DATA-075"):
        found(row)


@given(fitting(prm800k.ROW, st.sampled_from(["a", "b"])))
def test_any_rated_row_that_fits_converts_or_says_why(row):
    if not RowSchema(prm800k.ROW).fits(row):
        return
    try:
        made = RatedSteps().convert(row)
    except UserError:
        return
    assert made
    assert all(len(one["completions"]) == len(one["labels"]) for one in made)
