"""Held against the literature, against scipy, and against what is drawn."""

from __future__ import annotations

import math
import random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

from tunesmith.contracts import TunesmithError
from tunesmith_statistics import Counts, holm, mcnemar, mean, mean_difference, share, share_difference, sign_flips, smallest_difference

ROWS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def test_wilsons_interval_is_the_one_of_the_literature():
    found = share(81, 263)  # Newcombe, Statistics in Medicine 17 (1998), 857: 0.2553 to 0.3662
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert round(share(0, 10).high, 4) == 0.2775


@given(ROWS)
def test_a_difference_of_shares_lies_in_its_interval_and_turns_with_the_runs(rows):
    before, after = zip(*rows, strict=True)
    there, back = share_difference(before, after), share_difference(after, before)
    assert there.low <= there.value <= there.high
    assert math.isclose(there.low, -back.high, abs_tol=1e-12)
    assert math.isclose(there.high, -back.low, abs_tol=1e-12)


def test_all_right_in_both_is_no_certainty_with_few_rows():
    few, many = share_difference([True] * 5, [True] * 5), share_difference([True] * 500, [True] * 500)
    assert few.low < -0.3
    assert many.low > -0.02
    assert not few.certain


def test_pairing_sees_what_shares_alone_do_not():
    """20 of 100 rows more are right and none less: beyond chance, though both shares' own intervals meet."""
    before, after = [True] * 40 + [False] * 60, [True] * 55 + [False] * 45
    assert share_difference(before, after).certain
    assert share(40, 100).high > share(55, 100).low


@given(st.lists(st.floats(-5, 5), min_size=5, max_size=30), st.floats(-3, 3))
def test_a_difference_that_is_the_same_in_each_row_is_certain(values, shift):
    found = mean_difference(values, [value + shift for value in values])
    assert found is not None
    assert abs(found.low - shift) < 1e-6
    assert abs(found.high - shift) < 1e-6


def test_few_rows_say_nothing_of_a_mean():
    assert mean_difference([1.0] * 4, [2.0] * 4) is None


@pytest.mark.parametrize(("right", "count"), [(0, 5), (7, 10), (40, 40), (312, 1000)])
def test_intervals_are_wilsons(right, count):
    expected = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert share(right, count)[1:] == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_the_smallest_difference_is_seen_in_four_of_five():
    """By drawing: two models that disagree on half of 400 questions, whose accuracies differ by as much."""
    gap, count, draws = smallest_difference(400), 400, 500
    chance = numpy.random.default_rng(0).random((draws, count))
    better, worse = (chance < 0.25 + gap / 2).sum(1), ((chance >= 0.25 + gap / 2) & (chance < 0.5)).sum(1)
    seen = [binomtest(int(a), int(a + b)).pvalue < 0.05 and a > b for a, b in zip(better, worse, strict=True)]
    assert 0.74 < sum(seen) / draws < 0.86


def test_of_no_questions_nothing_is_said():
    with pytest.raises(TunesmithError, match="TS-EVAL-001"):
        Counts(0, failed=1).check(1.0)
    Counts(19, unparsed=1).check(0.05)


@given(ROWS)
def test_mcnemars_p_is_that_of_the_binomial_test(rows):
    before, after = zip(*rows, strict=True)
    found = mcnemar(before, after)
    count = found.only_before + found.only_after
    assert found.p == pytest.approx(binomtest(found.only_after, count).pvalue if count else 1.0)


def test_pairs_show_what_two_shares_hide():
    """lm-eval#3831: unpaired p .080, paired .008 on the same answers."""
    before, after = [True] * 60 + [False] * 40, [True] * 58 + [False] * 2 + [True] * 13 + [False] * 27
    assert mcnemar(before, after).p < 0.01
    assert share(60, 100).high > share(71, 100).low


def test_signs_drawn_anew_agree_with_scipy():
    drawn = random.Random(1)
    before = [drawn.random() for _ in range(12)]
    after = [one + drawn.gauss(0.05, 0.1) for one in before]
    theirs = permutation_test(
        (after, before), lambda x, y, axis: numpy.mean(x - y, axis=axis), permutation_type="samples", n_resamples=numpy.inf
    )
    assert sign_flips(before, after) == pytest.approx(theirs.pvalue, abs=0.03)
    assert sign_flips(before, before) == 1.0


def test_a_means_interval_is_that_of_its_differences_from_zero():
    values = [0.1, 0.4, 0.2, 0.9, 0.5, 0.3]
    found = mean(values)
    assert found.value == pytest.approx(sum(values) / 6)
    assert min(values) < found.low < found.value < found.high < max(values)
    assert mean(values[:4]) is None


def test_p_values_of_several_tests_are_adjusted_as_holm_has_it():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])  # Holm (1979), worked by hand: 3, 1, 2 and 4 times
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
