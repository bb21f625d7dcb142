"""The channel with known information, and exact mixtures."""

import numpy as np
import pytest

from ibcore import theory
from ibcore.estimators import KernelBound
from ibcore.estimators.acceptance import gaussian_channel


def test_estimators_on_a_gaussian_channel():
    """At r = 3 in two dimensions, 2 bits: every estimator within what its bounds promise."""
    found = gaussian_channel([3.0], n_samples=1500, n_draws=3)
    assert float(found.truth[0]) == pytest.approx(2.0)
    mean = found.estimate.mean("draw").isel(ratio=0).to_series()
    assert mean["lower kernel bound"] < 2 < mean["upper kernel bound"]
    assert mean["sample propagation"] == pytest.approx(2, abs=0.1)
    assert mean["nearest neighbours"] == pytest.approx(2, abs=0.1)
    assert (found.seconds > 0).all()


def test_no_estimate_passes_the_logarithm_of_the_sample():
    """At a ratio of 1e8 in four dimensions the truth is 53 bits, a sample of 100 has 6.6."""
    found = gaussian_channel([1e8], n_samples=100, n_units=4, n_draws=2)
    assert float(found.truth[0]) > 50
    rulers = ["upper kernel bound", "lower kernel bound", "sample propagation"]
    assert float(found.estimate.sel(estimator=rulers).max()) <= np.log2(100) + 1e-6


@pytest.mark.parametrize(
    ("ratios", "settings", "message"),
    [
        ([0.0], {}, "ratios must be a list of positive numbers up to 1e"),
        ([1e300], {}, "ratios must be a list of positive numbers up to 1e"),
        ([], {}, "ratios must be a list of positive numbers"),
        (3.0, {}, "ratios must be a list of positive numbers"),
        (["1"], {}, "ratios must be an array of real numbers"),
        ([1.0], {"n_samples": 3}, "n_samples must be an integer of at least 4, got 3"),
        ([1.0], {"n_units": 0}, "n_units must be an integer of at least 1, got 0"),
        ([1.0], {"n_draws": 2.0}, "n_draws must be an integer of at least 1, got 2.0"),
    ],
)
def test_impossible_channels(ratios, settings, message):
    with pytest.raises(ValueError, match=message):
        gaussian_channel(ratios, **settings)


def test_mixtures_against_their_product():
    """P18: a grid of two independent axes adds up; one dimension and two."""
    a, b = np.array([0.0, 1.5, 4.0]), np.array([-1.0, 0.5])
    grid = np.array([(x, y) for x in a for y in b])
    separate = theory.mixture_information(a) + theory.mixture_information(b)
    assert theory.mixture_information(grid) == pytest.approx(separate, abs=1e-7)
    with pytest.raises(ValueError, match="one or two dimensions"):
        theory.mixture_information(np.zeros((3, 3)))


def test_pairwise_bounds_are_the_kernel_bounds():
    centres = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    y = np.arange(40) % 2
    for alpha, bound in ((None, "upper"), (0.5, "lower")):
        expected = KernelBound(1.0, bound=bound)(centres, y).i_xt
        assert theory.pairwise_bound(centres, alpha) == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="alpha must lie between"):
        theory.pairwise_bound(centres, 1.0)


def test_squared_lagrangian_on_a_noisy_channel_stays_on_the_curve():
    """A binary channel with 10 % flips: its points lie on Mrs Gerber's curve."""
    p_xy = np.array([[0.45, 0.05], [0.05, 0.45]])
    found = theory.squared_ib_curve(p_xy, [0.3, 0.5, 1.0])
    curve = theory.ib_curve(p_xy, np.geomspace(1.5, 50, 300))
    best = theory.relevance_at(curve, found.complexity.values)
    np.testing.assert_allclose(found.relevance, best, atol=1e-4)
    assert (np.diff(found.complexity) < 0).all()
    with pytest.raises(ValueError, match="positive"):
        theory.squared_ib_curve(p_xy, [0.0])
