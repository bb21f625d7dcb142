"""Intervals: against closed forms, against what they promise, and on data that once broke them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ibcore.claims import intervals
from ibcore.claims.intervals import bootstrapped, correlation_of, exactly, share_of

SIDES = (">", "<")


def test_bootstrap_of_a_mean_meets_its_standard_error():
    """Percentiles 2.5 and 97.5 of the mean lie 1.96 σ/√n from it."""
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrapped(values, intervals.mean, "x")
    known = values.mean() + np.array([-1, 1]) * 1.96 * values.std() / 20
    np.testing.assert_allclose(found.interval(), known, atol=0.004)


@pytest.mark.parametrize("k", [0, 1, 25, 44, 50])
def test_wilson_interval_by_its_formula(k):
    """(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.96, n = 50."""
    p, n, z = k / 50, 50, stats.norm.ppf(0.975)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    known = np.array([p + z**2 / (2 * n) - half, p + z**2 / (2 * n) + half]) / (1 + z**2 / n)
    found = share_of((np.arange(50) < k).astype(float))
    np.testing.assert_allclose(found.interval(), np.clip(known, 0, 1), atol=1e-12)


@pytest.mark.parametrize("n", range(10, 60))
def test_no_network_is_not_some(n):
    """A share of 0 begins at 0, and one of 1 ends at 1: rounding once put them beyond the line."""
    none, every = share_of(np.zeros(n)), share_of(np.ones(n))
    assert (none.interval()[0], every.interval()[1]) == (0.0, 1.0)
    assert (none.p(">", 0.0), every.p("<", 1.0)) == (0.5, 0.5)


def test_fisher_interval_agrees_with_scipy():
    x, y = np.random.default_rng(3).normal(size=(2, 13))
    known = stats.pearsonr(x, y + x)
    found = correlation_of(known.statistic, 13)
    np.testing.assert_allclose(found.interval(), known.confidence_interval(0.95), rtol=1e-9)


@given(
    st.integers(10, 60),
    st.integers(0, 60),
    st.sampled_from([0.1, 0.5, 0.9]),
    st.sampled_from(SIDES),
)
def test_p_and_interval_of_a_share_never_disagree(n, k, line, side):
    """p < 0.025 where and only where the 95 % interval lies beyond the line."""
    found = share_of((np.arange(n) < min(k, n)).astype(float))
    ends = found.interval()
    clear = all(intervals.beyond(side, end, line) for end in ends)
    assert clear == (found.p(side, line) < 0.025)


@given(st.floats(-0.99, 0.99), st.integers(5, 60), st.sampled_from([-0.5, 0.0, 0.3]))
def test_p_and_interval_of_a_correlation_never_disagree(r, n, line):
    found = correlation_of(r, n)
    clear = found.interval()[0] > line
    assert clear == (found.p(">", line) < 0.025)


@pytest.mark.parametrize("shift", [0.1, 0.2, 0.25, 0.3, 0.4, 0.5])
def test_p_and_interval_of_a_bootstrap_never_disagree(shift):
    values = np.random.default_rng(5).normal(size=30) + shift
    found = bootstrapped(values, intervals.median, "x")
    assert (found.interval()[0] > 0) == (found.p(">", 0.0) < 0.025)


# Networks that are not there


def test_networks_that_do_not_exist_are_never_resampled():
    """10 of 50 seeds: padding with NaN once gave the interval [nan, nan] and a red word."""
    ragged = np.full((50, 2), np.nan)
    ragged[:, 0] = np.random.default_rng(0).normal(3, 1, 50)
    ragged[:10, 1] = np.random.default_rng(1).normal(1, 1, 10)
    found = bootstrapped(ragged, lambda s: np.subtract(*intervals.medians(s).T), "x")
    assert found.n == 10
    assert np.isfinite(found.draws).all()
    counts = bootstrapped(ragged, lambda s: (~np.isnan(s[..., 1])).sum(axis=1), "x")
    assert set(counts.draws) == {10}
    alone = bootstrapped(ragged[:10, 1], intervals.median, "x")
    both = np.ptp(found.interval())
    assert np.ptp(alone.interval()) < both < np.ptp(alone.interval()) + 1.0
    assert found.effect == np.median(ragged[:, 0]) - np.median(ragged[:10, 1])


def test_columns_of_one_network_stay_together():
    """Columns that are copies stay copies in every resample: their difference is 0."""
    column = np.random.default_rng(0).normal(size=20)
    both = np.stack([column, column], axis=1)
    found = bootstrapped(both, lambda s: np.median(s[..., 0] - s[..., 1], axis=1), "x")
    assert found.interval() == (0, 0)


def test_an_end_that_is_not_finite_is_refused():
    values = np.random.default_rng(0).normal(size=20)
    found = bootstrapped(values, lambda s: np.full(len(s), np.nan), "x")
    with pytest.raises(ValueError, match="must be finite for every resample"):
        found.interval()


def test_nothing_is_said_of_no_network():
    assert bootstrapped(np.full(5, np.nan), intervals.median, "x").n == 0
    assert share_of(np.full(5, np.nan)).n == 0


def test_resamples_can_be_had_again_and_differ_by_name():
    values = np.random.default_rng(0).normal(size=30)
    one, again, other = (bootstrapped(values, intervals.mean, name) for name in "aab")
    np.testing.assert_array_equal(one.draws, again.draws)
    assert one.interval() != other.interval()


def test_what_is_exact_has_no_width():
    found = exactly(0.3)
    assert found.interval() == (0.3, 0.3)
    assert (found.p(">", 0.2), found.p(">", 0.4)) == (0.0, 1.0)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_a_higher_level_is_wider(level):
    values = np.random.default_rng(0).normal(size=30)
    for found in (
        bootstrapped(values, intervals.median, "x"),
        share_of((values > 0).astype(float)),
        correlation_of(0.3, 30),
    ):
        low, high = found.interval(level)
        wide = found.interval(0.995)
        assert wide[0] <= low <= found.effect <= high <= wide[1]
