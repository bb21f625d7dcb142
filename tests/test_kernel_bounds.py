"""Kernel bounds: closed forms, theorems and the whole matrix in float64."""

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
    checked_rulers,
    from_name,
    pairwise,
)
from ibcore.estimators.base import passes
from ibcore.estimators.kernel import kernel_information
from ibcore.estimators.pairwise import entries, similarities, similarities_by_hand
from ibcore.information import entropy_from_counts

TWO_POINTS = [  # distance in sigma, lower bound, exact, upper bound, in bits
    (0.5, 0.0223660069, 0.0437299629, 0.0873525089),
    (1, 0.0873525089, 0.1607472198, 0.3160514859),
    (2, 0.3160514859, 0.4859441541, 0.8168815879),
    (3, 0.5943860927, 0.7599790078, 0.9840614733),
    (4, 0.8168815879, 0.9128222858, 0.9995161109),
    (6, 0.9840614733, 0.9944467097, 0.9999999780),
    (8, 0.9995161109, 0.9998650574, 1.0000000000),
]


def upper(t, y, variances, dtype=np.float64):
    return kernel_information(t, y, variances, dtype=dtype)


@pytest.mark.parametrize(("distance", "low", "exact", "high"), TWO_POINTS)
def test_two_points(distance, low, exact, high):
    """1 - log2(1 + e^{-D²/2}) and the same at D/2; the exact value lies between."""
    t, y = [[0.0], [distance]], [0, 1]
    assert KernelBound(1.0)(t, y).i_xt == pytest.approx(high, abs=1e-7)
    assert KernelBound(1.0, bound="lower")(t, y).i_xt == pytest.approx(low, abs=1e-7)
    assert upper(t, y, [1.0])[0][0] == pytest.approx(1 - np.log2(1 + np.exp(-(distance**2) / 2)))
    assert low < exact < high


def by_hand(t, y, variances):
    """Both informations from the readable twin's sums."""
    found = similarities_by_hand(t, y, variances)
    n = found.weight.sum()
    p_y = (np.bincount(found.label, found.weight) / n)[found.label]
    i_xt = -(np.log2(found.every / n) @ found.weight) / n
    return i_xt, np.log2(found.own / n / p_y / (found.every / n)) @ found.weight / n


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(2, 150), d=st.integers(1, 7),
    n_classes=st.integers(1, 10), soft=st.booleans(),
)  # fmt: skip
def test_fast_path_is_the_whole_matrix(seed, n, d, n_classes, soft):
    """Duplicates, dead units, up to ten classes, soft labels; levels in any order."""
    rng = np.random.default_rng(seed)
    t = np.round(rng.normal(size=(n, d)), rng.integers(0, 3)).astype(np.float32)
    t[:, rng.integers(d)] *= rng.integers(2)
    y = rng.random(n) if soft else rng.integers(0, n_classes, n)
    variances = [0.3, 0.001, 0.002, 0.004, 7.0]
    expected = by_hand(t, y, variances)
    np.testing.assert_allclose(upper(t, y, variances), expected, atol=1e-12)
    np.testing.assert_allclose(upper(t, y, variances, np.float32), expected, atol=1e-5)


@pytest.mark.parametrize("gain", [0.3, 2.0, 50.0])
@pytest.mark.parametrize("relu", [False, True])
def test_float32_is_within_1e_5_bit_over_eight_octaves(gain, relu):
    rng = np.random.default_rng(3)
    z = gain * rng.normal(size=(1500, 10))
    t = (np.maximum(z, 0) if relu else np.tanh(z)).astype(np.float32)
    y = rng.integers(0, 2, len(t))
    variances = 1e-3 * 2.0 ** np.arange(9) * (t.max() ** 2 if relu else 1)
    np.testing.assert_allclose(
        upper(t, y, variances, np.float32), upper(t, y, variances), atol=1e-5
    )


def test_wide_layers_take_products_and_agree():
    """65 units and more go through blocks of a Gram matrix, here of a few rows each."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=(300, 70)).astype(np.float32) + 3000
    y = rng.integers(0, 4, 300)
    found = kernel_information(t, y, [20.0, 40.0])
    np.testing.assert_allclose(found, by_hand(t, y, [20.0, 40.0]), atol=1e-9)
    narrow, _ = layer(1)
    labels = np.arange(len(narrow)) % 3
    direct = similarities(narrow, labels, [0.01], dtype=np.float64)
    products = similarities(narrow, labels, [0.01], dtype=np.float32)
    np.testing.assert_allclose(direct.every, products.every, rtol=1e-5)


@pytest.mark.parametrize("variances", [[0.1, 0.4], [1e-4], [50.0, 0.01]])
def test_wide_layers_with_few_close_pairs_leave_out_the_others(variances, monkeypatch):
    """Clusters far apart: only the pairs within one are computed, and no sum notices."""
    rng = np.random.default_rng(1)
    centres, place = rng.normal(size=(200, 90)), rng.integers(0, 200, 400)
    width = np.where(rng.random((400, 1)) < 0.5, 0.01, 0.3)
    t = (centres[place] + width * rng.normal(size=(400, 90))).astype(np.float32)
    y = rng.integers(0, 10, 400)
    expected = by_hand(t, y, variances)
    for few in (pairwise.FEW, 0.0, 2.0):  # as it comes, never, always
        monkeypatch.setattr(pairwise, "FEW", few)
        monkeypatch.setattr(pairwise, "BLOCK_ENTRIES", 400 * 70)
        np.testing.assert_allclose(kernel_information(t, y, variances), expected, atol=1e-9)


def test_large_activations_do_not_cancel():
    """Rows of length 3000 that differ by 0.1: the Gram trick in float32 is off by 287 bits here."""
    rng = np.random.default_rng(0)
    t = (3000 / np.sqrt(8) + 0.1 * rng.normal(size=(64, 8))).astype(np.float32)
    y = rng.integers(0, 2, 64)
    found = KernelBound(1e-3)(t, y)
    assert found.i_xt == pytest.approx(by_hand(t, y, [1e-3])[0][0], abs=1e-4)
    assert found.i_xt <= 6


class TestTheorems:
    """Invariants of ESTIMATORS, in float64 where they are exact."""

    def test_ranges(self):
        """P1-P3: 0 <= I(T;Y) <= I(X;T) <= log2 N and I(T;Y) <= H(Y)."""
        for seed in range(5):
            t, y = layer(seed)
            i_xt, i_ty = upper(t, y, 10.0 ** np.arange(-6, 4))
            assert (i_ty >= -1e-10).all()
            assert (i_ty <= i_xt + 1e-10).all()
            assert (i_xt <= np.log2(len(t)) + 1e-10).all()
            assert (i_ty <= entropy_from_counts(np.bincount(y)) + 1e-10).all()

    def test_lower_bound_is_the_upper_one_at_four_times_the_variance(self):
        """P5, to the last bit: it is the same computation."""
        t, y = layer(0)
        assert KernelBound(0.01, bound="lower")(t, y) == KernelBound(0.04)(t, y)

    def test_order_of_rows_units_and_classes(self):
        """P6."""
        t, y = layer(1)
        rng = np.random.default_rng(0)
        rows, units = rng.permutation(len(t)), rng.permutation(t.shape[1])
        expected = upper(t, y, [0.01])
        np.testing.assert_allclose(
            upper(t[rows][:, units], 2 - y[rows], [0.01]), expected, atol=1e-12
        )

    def test_limits(self):
        """P8, P9: no noise gives the entropy of the rows, much noise gives nothing."""
        t, y = layer(2)
        _, counts = np.unique(t, axis=0, return_counts=True)
        small, large = upper(t, y, [1e-9, 1e9])[0]
        assert small == pytest.approx(entropy_from_counts(counts), abs=1e-9)
        assert large == pytest.approx(0, abs=1e-8)

    def test_more_noise_less_information(self):
        """P10."""
        t, y = layer(3)
        assert (np.diff(upper(t, y, np.geomspace(1e-4, 10, 20))[0]) < 0).all()

    def test_scaling_translation_rotation(self):
        """P11, on rows that float32 holds exactly."""
        rng = np.random.default_rng(4)
        t = rng.integers(-8, 9, size=(100, 2)).astype(np.float32)
        y = rng.integers(0, 2, 100)
        expected = upper(t, y, [2.0])
        turned = t @ np.array([[0, 1], [-1, 0]], np.float32)
        for moved, variance in ((4 * t, 32.0), (t + 16, 2.0), (turned, 2.0)):
            np.testing.assert_allclose(upper(moved, y, [variance]), expected, atol=1e-10)

    def test_a_contraction_loses_information(self):
        """P12: tanh moves points together."""
        rng = np.random.default_rng(5)
        z = rng.normal(size=(150, 3)).astype(np.float32)
        y = rng.integers(0, 2, 150)
        variances = np.geomspace(1e-3, 1, 8)
        assert (upper(np.tanh(z), y, variances)[0] <= upper(z, y, variances)[0] + 1e-12).all()

    def test_another_unit_never_hurts(self):
        """P13."""
        t, y = layer(6)
        assert upper(t, y, [0.05])[0] >= upper(t[:, :-1], y, [0.05])[0] - 1e-12

    def test_independent_blocks_add_up(self):
        """P18: on the product of two sets of points."""
        rng = np.random.default_rng(7)
        a, b = rng.normal(size=(12, 2)), rng.normal(size=(15, 1))
        both = np.concatenate([np.repeat(a, 15, axis=0), np.tile(b, (12, 1))], axis=1)
        both, a, b = both.astype(np.float32), a.astype(np.float32), b.astype(np.float32)
        one, other, joint = (upper(t, np.zeros(len(t), int), [0.3])[0] for t in (a, b, both))
        assert joint == pytest.approx(one + other, abs=1e-10)

    def test_hypercube_is_as_many_pairs_of_points(self):
        """{±a}^d: d times two points at distance 2a."""
        corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 6)).reshape(6, -1).T
        found = KernelBound(1.0)(corners, np.zeros(64, int)).i_xt
        assert found == pytest.approx(6 * 0.8168815879, abs=1e-6)

    def test_gaussian_cloud(self):
        """In two dimensions, r = 1: upper 0.5966, lower 0.2116 nats per dimension; N = 4000."""
        t = np.random.default_rng(8).normal(size=(4000, 2)).astype(np.float32)
        y = np.zeros(4000, int)
        nats = np.log(2) / 2
        assert KernelBound(1.0)(t, y).i_xt * nats == pytest.approx(0.596574, rel=0.02)
        assert KernelBound(1.0, bound="lower")(t, y).i_xt * nats == pytest.approx(
            0.211572, rel=0.03
        )

    def test_valid_bounds_on_label_information_enclose_each_other(self):
        """Lower <= difference of equal kinds <= upper, and the upper bound of separate classes."""
        for seed in range(4):
            t, y = layer(seed)
            for variance in (1e-3, 1e-2, 0.1, 1.0):
                low, high = (LabelBound(variance, b)(t, y).i_ty for b in ("lower", "upper"))
                assert low <= KernelBound(variance)(t, y).i_ty <= high + 1e-6
                assert low <= KernelBound(variance, bound="lower")(t, y).i_ty <= high + 1e-6


def test_bounds_enclose_the_information_of_a_mixture_by_quadrature():
    """KT-1 in one dimension: 100 random mixtures, Gauss-Hermite with 120 nodes per point."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    rng = np.random.default_rng(0)
    for _ in range(100):
        t = (rng.normal(size=(rng.integers(2, 12), 1)) * 10 ** rng.uniform(-1, 1)).astype(
            np.float32
        )
        places = t + nodes
        density = np.exp(-((places[..., None] - t[:, 0]) ** 2) / 2).mean(axis=-1)
        exact = -(np.log2(density) @ weights).mean() - 0.5 / np.log(2)
        y = np.zeros(len(t), int)
        high, low = upper(t, y, [1.0])[0][0], upper(t, y, [4.0])[0][0]
        assert low - 1e-9 <= exact <= high + 1e-9


def test_noise_that_follows_the_layer():
    t, y = layer(0)
    t = np.abs(t) * 4
    for scale, size in (
        ("max", t.max()),
        ("max_squared", t.max() ** 2),
        ("rms_squared", (t.astype(float) ** 2).mean()),
    ):
        found = KernelBound(1e-3, scale=scale)(t, y)
        assert found.i_xt == pytest.approx(KernelBound(float(1e-3 * size))(t, y).i_xt, abs=1e-5)
    squared = KernelBound(1e-3, scale="rms_squared")
    assert squared(8 * t, y).i_xt == pytest.approx(squared(t, y).i_xt, abs=1e-6)


@pytest.mark.parametrize("scale", ["max", "max_squared"])
def test_a_layer_that_is_never_positive_has_no_such_scale(scale):
    with pytest.raises(ValueError, match=r"never positive\. Use scale='rms_squared'"):
        KernelBound(1e-3, scale=scale)([[-0.5], [-0.1]], [0, 1])
    with pytest.raises(ValueError, match="a dead layer"):
        KernelBound(1e-3, scale="rms_squared")([[0.0], [0.0]], [0, 1])


def test_mirrored_reading_is_the_mirror_image():
    """2 ln N - I and 2 H(Y) - I, in bits (ESTIMATORS, section 3, item 3)."""
    t, y = layer(2)
    plain, mirrored = KernelBound(0.01)(t, y), MirroredKernelBound(0.01)(t, y)
    assert mirrored.i_xt == pytest.approx(2 * np.log2(len(t)) - plain.i_xt, abs=1e-12)
    h_y = entropy_from_counts(np.bincount(y))
    assert mirrored.i_ty == pytest.approx(2 * h_y - plain.i_ty, abs=1e-12)


def test_several_levels_are_as_many_results_and_one_sweep():
    t, y = layer(0)
    levels = (0.3, 0.001, 0.002, 0.064)
    many = KernelBound(levels)
    assert [repr(one) for one in many.levels()] == [
        f"KernelBound(noise_variance={v}, bound='upper')" for v in levels
    ]
    for one, found in zip(many.levels(), many(t, y), strict=True):
        assert found.i_xt == pytest.approx(one(t, y).i_xt, abs=1e-5)
        assert from_name(repr(one)) == one
    spelt = checked_rulers([many, KernelBound(0.5, bound="lower")])
    assert len(spelt) == 5
    assert [places for _, places in passes(spelt)] == [[0, 1, 2, 3], [4]]


def test_entries_collapse_equal_rows_of_a_class():
    t = np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 1.0], [2.0, 1.0]], np.float32)
    rows, labels, weights = entries(t, [0, 0, 1, 1])
    assert labels.tolist() == [0, 1, 1]
    assert weights.tolist() == [2, 1, 1]
    assert rows.tolist() == [[0, 1], [0, 1], [2, 1]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise_variance": 0}, "noise_variance must be positive"),
        ({"noise_variance": -1.0}, "noise_variance must be positive"),
        ({"noise_variance": (0.1, float("nan"))}, "noise_variance must be a finite number"),
        ({"noise_variance": ()}, "noise_variance must be positive; got no level at all"),
        ({"noise_variance": None}, "noise_variance must be a finite number, got None"),
        ({"noise_variance": True}, "noise_variance must be a finite number, got True"),
        ({"noise_variance": np.ones((2, 2))}, "noise_variance must be a finite number, got array"),
        ({"noise_variance": np.array(0.1)}, "noise_variance must be a finite number, got array"),
        ({"bound": "middle"}, "bound must be one of upper, lower; got 'middle'"),
        ({"bound": np.array(["upper", "lower"])}, "bound must be one of upper, lower; got array"),
        ({"scale": "mean"}, "scale must be None or one of max, max_squared, rms_squared; got"),
    ],
)
def test_impossible_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        KernelBound(**settings)


def test_impossible_layers():
    ruler = KernelBound()
    with pytest.raises(ValueError, match="NaN or infinite"):
        ruler([[np.nan], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="at least 2 samples"):
        ruler([[1.0]], [0])
    with pytest.raises(ValueError, match="need one label for each of the 2 samples of t"):
        ruler([[1.0], [2.0]], [0, 1, 1])


def test_noise_added_twice_gives_information_to_a_constant_layer():
    """N draws of N(0, σ²I) under kernels of the same σ: d/2 [ln 2 + 1/2] nats."""
    y = np.arange(4000) % 2
    found = TwiceNoisedKernelBound(0.05)(np.full((4000, 2), 0.3, np.float32), y)
    assert found.i_xt == pytest.approx((np.log(2) + 0.5) / np.log(2), abs=0.05)
    assert KernelBound(0.05)(np.full((4000, 2), 0.3), y).i_xt == pytest.approx(0, abs=1e-6)


def test_noise_added_twice_is_the_same_at_every_call_and_level():
    t, y = layer(3)
    twice = TwiceNoisedKernelBound(0.05)(t, y)
    assert twice.i_xt > KernelBound(0.05)(t, y).i_xt
    assert TwiceNoisedKernelBound(0.05)(t, y) == twice
    several = TwiceNoisedKernelBound((0.05, 0.5))(t, y)
    assert several[0] == pytest.approx(twice, abs=1e-6)
    assert from_name(repr(TwiceNoisedKernelBound(0.05))) == TwiceNoisedKernelBound(0.05)
