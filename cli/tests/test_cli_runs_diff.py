"""`tunesmith runs diff`: what differs between two runs, and how sure a difference is."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_cli.runs_diff.sample_pairs import differing, metric_difference, metric_interval, metric_p, sample_pairs
from tunesmith_statistics import mcnemar, share, share_difference, sign_flips

ROWS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def asked(rights, start=0):
    return [{"question": f"q{start + at}", "expected": "x", "answer": str(one), "right": one} for at, one in enumerate(rights)]


def test_rows_are_paired_by_their_questions_and_equal_ones_in_their_order():
    one = [*asked([True, False]), *asked([True])]
    other = [*asked([False]), *asked([True, True])]
    found = sample_pairs(one, other)
    assert [(a["question"], b["question"]) for a, b in found] == [("q0", "q0"), ("q1", "q1"), ("q0", "q0")]
    assert [pair[1]["right"] for pair in found] == [False, True, True]


def test_what_a_metric_is_the_mean_of_is_found_by_its_value():
    before, after = asked([True] * 8 + [False] * 2), asked([True] * 5 + [False] * 5)
    found = sample_pairs(before, after)
    sure = metric_difference("anything", (0.8, 0.5), found, True)
    assert sure is not None
    assert math.isclose(sure.value, -0.3)
    assert metric_difference("anything", (0.8, 0.6), found, True) is None
    assert metric_difference("anything", (0.8, 0.5), found, False) is None  # of other rows


def test_a_weighted_mean_and_a_power_of_one_are_found_too():
    rows = [(1.0, 10), (2.0, 30), (0.5, 5), (3.0, 7), (1.5, 20), (0.7, 9)]
    before = [{"question": f"q{at}", "loss": loss, "size": size} for at, (loss, size) in enumerate(rows)]
    after = [{"question": f"q{at}", "loss": loss / 2, "size": size} for at, (loss, size) in enumerate(rows)]
    mean = sum(loss * size for loss, size in rows) / sum(size for _, size in rows)
    for of in (float, math.exp):
        sure = metric_difference("x", (of(mean), of(mean / 2)), sample_pairs(before, after), True)
        assert sure is not None
        assert math.isclose(sure.value, of(mean / 2) - of(mean))
        assert sure.certain


def test_rows_that_were_lost_come_before_those_that_were_won():
    found = differing(sample_pairs(asked([True, False, True, False]), asked([True, True, False, False])))
    assert [pair[1]["question"] for pair in found] == ["q2", "q1"]


@pytest.fixture
def two(world):
    """A run, and one with another setting and one row in another's place."""
    words = ("echo", "--model", "shelf://hello", "--data", "rows.jsonl")
    world(*words)
    world.write("rows.jsonl", '{"q": "who?", "a": "me"}\n{"q": "when?", "a": "now"}\n')
    world(*words, "--learning-rate", "0.25")
    return [run["id"] for run in world("runs", "list", "--json").json][::-1]


def test_two_runs_are_told_apart(world, two):
    told = world("runs", "diff", *two, "--json").json
    assert [run["id"] for run in told["runs"]] == two
    settings = {one["what"]: (one["before"], one["after"]) for one in told["settings"] if one["step"] == "echo"}
    assert settings["learning_rate"] == (0.001, 0.25)
    (rows,) = told["rows"]
    assert (rows["both"], rows["only_before"], rows["only_after"]) == (1, 1, 1)
    assert "when?" in rows["after"][0]
    assert told["environment"] == []
    assert {one["name"] for one in told["metrics"]} >= {"rows", "loss"}
    page = world("runs", "diff", two[0]).out  # beside the last one
    assert "learning_rate  ->" not in page
    assert " ".join(page.split()).count("learning_rate 0.001 -> 0.25") == 1
    assert "1 in both, 1 only in A, 1 only in B" in page
    assert "environment: the same" in page
    assert f"run {two[1]} is the last one: there is nothing to compare it with" in world("runs", "diff", two[1]).err
    assert "both names mean" in world("runs", "diff", two[0], two[0]).err
    assert "TS-RUN-021" in world("runs", "diff", "2020").err


def test_answers_stand_side_by_side_with_what_was_expected():
    from tunesmith_cli.runs_diff.text import page

    row = SimpleNamespace(id="a", pipeline="p", state="done", started=0.0, finished=61.0)
    view = SimpleNamespace(row=row)
    both = sample_pairs(asked([True, True]), asked([True, False]))
    found = SimpleNamespace(
        before=view, after=view, settings=[], rows=[], environment=[], metrics=[], steps=["score"],
        samples={"score": (both, True)}, answers=lambda name: differing(both),
    )  # fmt: skip
    text = page(found)
    assert "samples of score: 1 of 2 answered otherwise" in text
    assert text.index("q1") < text.index("expected") < text.index("A right") < text.index("B wrong")
    assert json.dumps("1 min 01 s")[1:-1] in text


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), min_size=5, max_size=20), st.sampled_from([float, math.exp]))
def test_the_interval_of_a_metric_has_its_value_within(rows, of):
    found = [{"question": "q", "loss": loss, "size": size} for loss, size in rows]
    value = of(sum(loss * size for loss, size in rows) / sum(size for _, size in rows))
    sure = metric_interval(value, found)
    assert sure is not None
    assert sure.low - 1e-6 <= value <= sure.high + 1e-6
    assert math.isclose(sure.value, value, rel_tol=1e-6, abs_tol=1e-6)


def test_the_interval_of_a_share_is_wilsons():
    assert metric_interval(0.25, asked([True, False, False, False])) == share(1, 4)
    assert metric_interval(0.5, asked([True, False, False, False])) is None


def test_rows_that_either_run_has_not_scored_are_left_out_of_the_difference():
    """The metric is of each run's own scored rows; the difference is of those that both have scored."""
    before, after = asked([True] * 6 + [False] * 4), asked([True] * 9 + [False])
    before[0] = {"question": before[0]["question"], "expected": before[0]["expected"], "not_scored": "truncated"}
    found = sample_pairs(before, after)
    sure = metric_difference("anything", (5 / 9, 0.9), found, True)
    assert sure == share_difference([True] * 5 + [False] * 4, [True] * 8 + [False])
    assert metric_p((5 / 9, 0.9), found, True) == mcnemar([True] * 5 + [False] * 4, [True] * 8 + [False]).p
    assert metric_difference("anything", (0.6, 0.9), found, True) is None


def test_a_pairs_test_sees_what_intervals_of_two_shares_do_not():
    before, after = asked([True] * 60 + [False] * 40), asked([True] * 58 + [False] * 2 + [True] * 13 + [False] * 27)
    p = metric_p((0.6, 0.71), sample_pairs(before, after), True)
    assert p is not None
    assert p < 0.01
    scores = [{"question": str(n), "expected": "", "score": n % 3 + shift * (n % 2)} for shift in (0.0, 0.5) for n in range(12)]
    p = metric_p((1.0, 1.25), sample_pairs(scores[:12], scores[12:]), True)
    assert p == sign_flips([one["score"] for one in scores[:12]], [one["score"] for one in scores[12:]])
