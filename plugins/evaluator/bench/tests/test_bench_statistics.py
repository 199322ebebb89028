"""The statistics against scipy's and numpy's, and what they promise against simulated runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith_bench.statistics.bootstrap import difference, estimate, holm, of_run_figures
from tunesmith_bench.statistics.quantiles import known_quantile, least_values, quantile
from tunesmith_bench.statistics.student_t import critical, two_sided_p
from tunesmith_bench.statistics.trend import batch_means, mann_kendall

VALUES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=60)
scipy_stats = pytest.importorskip("scipy.stats")


@given(VALUES, st.floats(0.01, 0.99))
def test_quantiles_are_numpys(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)))


def test_a_percentile_is_said_from_so_many_values_on_that_it_is_bounded_from_above() -> None:
    assert [least_values(share) for share in (0.5, 0.9, 0.95, 0.99)] == [5, 29, 59, 299]
    for share in (0.5, 0.9, 0.95, 0.99):
        count = least_values(share)
        assert share**count <= 0.05 < share ** (count - 1)
    assert known_quantile([1.0] * 298, 0.99) is None
    assert known_quantile([1.0] * 299, 0.99) == 1.0


@given(st.lists(st.integers(-5, 5).map(float), min_size=4, max_size=40))
def test_the_trend_is_kendalls_with_ties(values: list[float]) -> None:
    """s is Kendall's tau-b times its norm; its variance with ties is the one of the asymptotic test."""
    trend = mann_kendall(values)
    pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
    assert trend.s == sum(b > a for a, b in pairs) - sum(b < a for a, b in pairs)
    if len(set(values)) > 1 and trend.s:
        count = len(values)
        ties = np.unique(values, return_counts=True)[1]
        variance = (count * (count - 1) * (2 * count + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
        assert trend.p == pytest.approx(2 * scipy_stats.norm.sf((abs(trend.s) - 1) / math.sqrt(variance)), abs=1e-12)
        found = scipy_stats.kendalltau(range(count), values, method="asymptotic")
        assert np.sign(found.statistic) == np.sign(trend.s)


def test_a_trend_is_seen_in_few_of_many_series_without_one_and_in_those_with_one() -> None:
    draw = np.random.default_rng(0)
    still = [mann_kendall(draw.lognormal(size=40)).p < 0.05 for _ in range(400)]
    assert 0.02 < np.mean(still) < 0.09
    rising = [mann_kendall(draw.normal(size=40) + np.linspace(0, 3, 40)).p < 0.05 for _ in range(50)]
    assert all(rising)
    assert mann_kendall([1.0] * 50).p == 1.0


@given(VALUES.filter(lambda v: len(v) > 4))
def test_batch_means(values: list[float]) -> None:
    means = batch_means(values, 4)
    size = len(values) // 4
    assert means == pytest.approx([float(np.mean(values[at * size : (at + 1) * size])) for at in range(4)], abs=1e-6)


@given(st.floats(-60, 60), st.floats(0.5, 300))
def test_students_t_is_scipys(t: float, freedom: float) -> None:
    assert two_sided_p(t, freedom) == pytest.approx(2 * scipy_stats.t.sf(abs(t), freedom), rel=1e-8, abs=1e-12)


@given(st.floats(0.8, 200), st.sampled_from([0.01, 0.05, 0.2]))
@settings(deadline=None)
def test_its_critical_value_is_scipys(freedom: float, level: float) -> None:
    assert critical(freedom, level) == pytest.approx(scipy_stats.t.isf(level / 2, freedom), rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holms_correction(p: list[float]) -> None:
    """By its definition: the k-th smallest is multiplied by how many are left, and none is smaller than the one before."""
    order = np.argsort(p, kind="stable")
    wanted = np.empty(len(p))
    wanted[order] = np.minimum(1, np.maximum.accumulate([(len(p) - k) * p[at] for k, at in enumerate(order)]))
    assert holm(p) == pytest.approx(list(wanted))


def test_the_bootstraps_error_is_that_of_a_mean() -> None:
    """Runs without an effect of their own: the error of the mean is sigma / sqrt(n)."""
    draw = np.random.default_rng(1)
    errors = [estimate([draw.normal(5, 2, 400) for _ in range(8)], lambda v: float(v.mean()), seed).error for seed in range(10)]
    assert np.mean(errors) == pytest.approx(2 / math.sqrt(3200), rel=0.35)


def test_welchs_test_is_scipys_on_figures_of_runs() -> None:
    one, other = [10.0, 11.0, 12.5], [13.0, 13.5, 12.0, 14.0]
    found = difference(of_run_figures(one), of_run_figures(other))
    wanted = scipy_stats.ttest_ind(other, one, equal_var=False)
    interval = wanted.confidence_interval()
    assert (found.p, found.low, found.high) == pytest.approx((wanted.pvalue, interval.low, interval.high))


@pytest.mark.parametrize("statistic", [lambda v: float(v.mean()), lambda v: float(np.quantile(v, 0.9))])
def test_no_difference_is_shown_where_there_is_none_though_runs_differ(statistic) -> None:
    """Three runs each, with an effect of their own that is as large as what requests differ by: at most about 5 % are taken for a
    difference. A bootstrap over requests alone would show one nearly every time."""
    draw = np.random.default_rng(2)

    def side() -> list[np.ndarray]:
        return [draw.normal(draw.normal(0, 1), 1, 60) for _ in range(3)]

    shown = [difference(estimate(side(), statistic), estimate(side(), statistic)).p < 0.05 for _ in range(60)]
    assert np.mean(shown) <= 0.15
    clear = [difference(estimate(side(), statistic), estimate([run + 12 for run in side()], statistic)).p < 0.05 for _ in range(20)]
    assert np.mean(clear) > 0.8
