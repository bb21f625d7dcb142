"""Kernel bounds where floats end: tiny and gigantic layers, noise and labels; names of classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_rulers import tanh_layer as layer

from ibcore.estimators import (
    KernelBound,
    LabelBound,
    MirroredKernelBound,
    TwiceNoisedKernelBound,
    pairwise,
)
from ibcore.estimators.kernel import kernel_information
from ibcore.simd import LANES


def in_units_of_noise(t, variance):
    """The upper bound from the whole matrix, with t / σ formed in logarithms: nothing overflows."""
    t = np.asarray(t, np.float64)
    size = np.abs(t).max() or 1.0
    square = ((t[:, None] / size - t[None] / size) ** 2).sum(axis=-1)
    with np.errstate(divide="ignore", over="ignore"):
        kernels = np.exp(-np.exp(np.log(square / 2) + 2 * np.log(size) - np.log(variance)))
    return -np.log2(kernels.mean(axis=1)).mean()


@pytest.mark.parametrize("units", [3, 70])
@pytest.mark.parametrize("size", [1e-300, 1e-42, 1e-20, 1.0, 1e20, 3e37, 1e200, 1e306])
@pytest.mark.parametrize("variance", [5e-324, 1e-300, 1e-80, 1e-3, 1.0, 1e80, 1e300])
def test_any_size_of_layer_and_noise(units, size, variance):
    """Denormal, ordinary or gigantic, in float32 or float64: the right number, no warning."""
    t = size * np.random.default_rng(0).normal(size=(20, units))
    t[:4] = t[0]
    expected = in_units_of_noise(t, variance)
    for bound, factor in (("upper", 1), ("lower", 4)):
        if variance * factor < 1e300:
            expected = in_units_of_noise(t, variance * factor)
            found = KernelBound(variance, bound)(t, np.arange(20) % 3)
            assert found.i_xt == pytest.approx(expected, abs=2e-5)
    with np.errstate(over="ignore", under="ignore"):
        narrow = t.astype(np.float32)
    if np.isfinite(narrow).all():
        found = KernelBound(variance)(narrow, np.arange(20) % 3)
        assert found.i_xt == pytest.approx(in_units_of_noise(narrow, variance), abs=2e-5)


def test_levels_over_all_orders_of_magnitude_at_once():
    """Each is what it is alone: none is lost because another one is near the other end."""
    rng = np.random.default_rng(1)
    t, y = 3e38 * rng.uniform(-1, 1, (20, 3)), np.arange(20) % 3
    levels = (1e300, 1e77, 1e76, 1e-3, 5e-324)
    for kind in (KernelBound, LabelBound, TwiceNoisedKernelBound):
        assert kind(levels)(t, y) == [kind(level)(t, y) for level in levels]
    for level, found in zip(levels, KernelBound(levels)(t, y), strict=True):
        assert found.i_xt == pytest.approx(in_units_of_noise(t, level), abs=2e-5)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), power=st.integers(-400, 400), wide=st.booleans())
def test_a_power_of_two_leaves_no_trace(seed, power, wide):
    """P11 to the last bit: t times 2^k and σ² times 4^k is the same ruler on the same layer."""
    t, y = layer(seed, n=30, d=70 if wide else 3)
    t = t.astype(np.float64)
    for ruler in (KernelBound(0.25), LabelBound(0.125, "lower"), TwiceNoisedKernelBound(0.5)):
        moved = type(ruler)(float(np.ldexp(ruler.noise_variance, 2 * power)), ruler.bound)
        assert moved(np.ldexp(t, power), y) == ruler(t, y)


def test_small_differences_beside_large_values_are_right_or_refused():
    """Three rows of which two overlap: h of the pair is that of two points 1 σ apart."""
    two_points = 0.3160514859  # bits, TWO_POINTS at 1 σ
    for far, near in ((1.0, 1e-30), (1e38, 1.0), (1e20, 1e-20)):
        t = np.array([[0.0], [near], [far], [0.0], [near], [far]], np.float32)
        found = KernelBound(float(t[1, 0]) ** 2)(t, [0, 0, 1, 0, 0, 1]).i_xt
        expected = np.log2(3) - 2 / 3 + 2 / 3 * two_points
        assert found == pytest.approx(expected, abs=1e-5)
    with pytest.raises(
        ValueError, match=r"noise variance of 9.8.e-324 is too small .* 3e-162 apart"
    ):
        KernelBound(1e-323)([[0.0], [3e-162], [1.0]], [0, 0, 1])
    apart = KernelBound(1e-323)([[0.0], [3e-40], [1.0]], [0, 0, 1])
    assert apart.i_xt == pytest.approx(np.log2(3), abs=1e-12)


def test_wide_layers_with_clusters_far_apart_are_taken_pair_by_pair():
    """Products of rows 1e9 σ long lose the distances within a cluster, all digits of them."""
    rng = np.random.default_rng(0)
    t = rng.integers(0, 2, size=(12, 70)) / 4.0
    t[6:] += 2.0**20  # float32 holds it exactly
    expected = in_units_of_noise(t, 1.0)
    assert 1.1 < expected < 3
    t, variance = np.ldexp(t, 30), 4.0**30
    assert KernelBound(variance)(t, np.arange(12) % 2).i_xt == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("units", [2, 70])
@pytest.mark.parametrize("share", [1e-40, 1e-60, 5e-324])
def test_soft_labels_that_are_all_but_certain(units, share):
    """P(y|x) below the least float32, as a softmax gives it, weighs nothing."""
    t, hard = layer(0, n=40, d=units, n_classes=2)
    soft = np.where(hard == 1, 1.0, share)
    for ruler in (KernelBound(0.1), LabelBound(0.1), MirroredKernelBound(0.1)):
        assert ruler(t, soft) == pytest.approx(ruler(t, hard), abs=1e-5)
    assert KernelBound(0.1)(t, np.full(40, share)).i_ty == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("scale", "t"), [("max", [[1e-20], [2e-20]]), ("rms_squared", [[1e200], [2e200]])]
)
def test_noise_that_follows_the_layer_beyond_floats_is_refused(scale, t):
    with pytest.raises(ValueError, match=f"times {scale} of this layer, .* is beyond float64"):
        KernelBound(5e-324, scale=scale)(t, [0, 1])


@pytest.mark.parametrize(
    ("variances", "message"),
    [
        ([], "variances must be a list of positive finite numbers"),
        ([0.1, 0.0], "variances must be a list of positive finite numbers"),
        ([np.nan], "variances must be a list of positive finite numbers"),
        (["a"], "variances must be an array of real numbers"),
        ([1e-100, 1.0], "from 1e-100 to 1 are too far apart for one pass"),
    ],
)
def test_impossible_variances(variances, message):
    with pytest.raises(ValueError, match=message):
        kernel_information([[0.0], [1.0]], [0, 1], variances)


def test_labels_are_names():
    """Labels 0 and 1 000 000 took a matrix of 7 TiB."""
    t, y = layer(0, n=200)
    for names in ([-5, 0, 10**12], ["ant", "bee", "cat"], [0, 500_000, 1_000_000]):
        named = np.array(names)[y]
        assert KernelBound(0.1)(t, named) == KernelBound(0.1)(t, y)
        assert MirroredKernelBound(0.1)(t, named) == MirroredKernelBound(0.1)(t, y)


def test_no_kernel_is_a_denormal_number():
    """Far points, eight levels by squaring: what is stored stays normal, times any weight too."""
    n = pairwise.STRETCH
    points = np.linspace(0, 40, n, dtype=np.float32)
    weight = np.full(n, 0.01, np.float32)
    rates, squarings = pairwise._plan(np.array([2.0**-k for k in range(8)]))
    kernels = np.full(pairwise.TILE * n, np.nan, np.float32)
    for level in range(len(rates)):
        sums = np.zeros(len(rates) * n, np.float32)
        rows = np.zeros(len(rates) * pairwise.TILE * LANES, np.float32)
        if squarings[level] == 0:
            rate = np.float32(-rates[level])
            pairwise._exponentials(points, n, 0, 0, n, rate, kernels)
        pairwise._add_up(
            weight, 0, 0, n, squarings[level] > 0, level, sums, rows, kernels, True
        )  # fmt: skip
        for found in (kernels, kernels * np.float32(0.01), sums, rows):
            assert not ((found != 0) & (np.abs(found) < np.finfo(np.float32).tiny)).any()
        exact = np.exp(-rates[level] * (points - points[0]) ** 2.0)
        np.testing.assert_allclose(kernels[:n], np.maximum(exact, 1e-34), rtol=2e-4)
    assert squarings.tolist() == [0, *[1] * 7]
