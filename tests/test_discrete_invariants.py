"""What every ruler that counts symbols must satisfy, whatever its bins."""

import numpy as np
import pytest
from hypothesis import given, settings
from known_rulers import EXACT, every_exact, layer, plain_information, rows, seeds

from ibcore.estimators import Binning, Exact, information_of_codes
from ibcore.information import entropy, entropy_from_counts

few = settings(max_examples=20)
ROUNDING = 1e-10  # of sums over a few hundred symbols in float64


@every_exact
@few
@given(seed=seeds)
def test_information_is_that_of_the_full_table(ruler, seed):
    """I(X;T) = H(T) and I(T;Y) = Σ p(t,y) log2 p(t,y)/p(t)p(y), a row of codes being a symbol."""
    t, y = layer(seed, limits=ruler.limits)
    expected = plain_information(rows(ruler.codes(t)), np.eye(10)[y])
    assert ruler(t, y) == pytest.approx(expected, abs=ROUNDING)


@every_exact
@few
@given(seed=seeds)
def test_soft_labels_weigh_the_table(ruler, seed):
    """n_cy becomes the sum of P(y|x) over the samples with symbol c."""
    t, y = layer(seed, limits=ruler.limits)
    p_y = np.random.default_rng(seed).dirichlet(np.ones(3), size=4)[y % 4]
    symbols = rows(ruler.codes(t))
    assert ruler(t, p_y) == pytest.approx(plain_information(symbols, p_y), abs=ROUNDING)
    two = np.column_stack([1 - p_y[:, 0], p_y[:, 0]])
    assert ruler(t, p_y[:, 0]) == pytest.approx(plain_information(symbols, two), abs=ROUNDING)


@every_exact
def test_certain_soft_labels_are_hard_labels(ruler):
    """P(y=1|x) in {0, 1} is a label, in either of the ways to write it."""
    t, y = layer(5, n_classes=2, limits=ruler.limits)
    hard = ruler(t, y)
    for soft in (y.astype(float), np.eye(2)[y], np.eye(2, dtype=int)[y]):
        assert ruler(t, soft) == pytest.approx(hard, abs=1e-12)


@every_exact
@few
@given(seed=seeds)
def test_information_stays_between_its_bounds(ruler, seed):
    """P1-P3: 0 <= I(T;Y) <= min(I(X;T), H(Y)) and I(X;T) <= log2 N."""
    t, y = layer(seed, limits=ruler.limits)
    found = ruler(t, y)
    assert 0 <= found.i_xt <= np.log2(len(t)) + ROUNDING
    assert found.i_ty >= -ROUNDING
    assert found.i_ty <= min(found.i_xt, entropy(np.bincount(y) / len(y))) + ROUNDING


@every_exact
@few
@given(seed=seeds)
def test_order_leaves_no_trace(ruler, seed):
    """P6: samples, units and classes in another order give the same floats, bit for bit."""
    t, y = layer(seed, limits=ruler.limits)
    rng = np.random.default_rng(seed)
    sample, unit, name = rng.permutation(len(t)), rng.permutation(t.shape[1]), rng.permutation(10)
    assert ruler(t[sample][:, unit], name[y[sample]]) == ruler(t, y)


@every_exact
@few
@given(seed=seeds)
def test_soft_labels_leave_no_trace_of_the_order_either(ruler, seed):
    """P6 for soft labels: samples and units may come in any order, bit for bit."""
    t, y = layer(seed, limits=ruler.limits)
    rng = np.random.default_rng(seed)
    p_1 = rng.random(10)[y]
    sample, unit = rng.permutation(len(t)), rng.permutation(t.shape[1])
    assert ruler(t[sample][:, unit], p_1[sample]) == ruler(t, p_1)


@every_exact
@few
@given(seed=seeds)
def test_a_layer_knows_more_than_a_unit_and_less_than_their_sum(ruler, seed):
    """P16: Σ H(T_j) >= H(T) >= max H(T_j), of the units as the ruler sees them in the layer."""
    t, y = layer(seed, limits=ruler.limits)
    alone = [
        entropy_from_counts(np.unique(column, return_counts=True)[1]) for column in ruler.codes(t).T
    ]
    assert max(alone) - ROUNDING <= ruler(t, y).i_xt <= sum(alone) + ROUNDING


@every_exact
@few
@given(seed=seeds)
def test_coarser_bins_never_tell_more(ruler, seed):
    """P7, the data processing inequality: codes that are put together lose information."""
    t, y = layer(seed, limits=ruler.limits)
    codes = ruler.codes(t)
    values, places = np.unique(codes, return_inverse=True)
    merged = np.random.default_rng(seed).integers(0, len(values), len(values))
    for coarse in (codes // 2, merged[places].reshape(codes.shape), codes[:, 1:] * 0):
        if coarse.shape[1]:
            found = information_of_codes(coarse, y)
            assert found.i_xt <= ruler(t, y).i_xt + ROUNDING
            assert found.i_ty <= ruler(t, y).i_ty + ROUNDING


@few
@given(seed=seeds)
def test_nested_bins_never_lose_information(seed):
    """P7 for Binning: bins twice as fine tell at least as much."""
    t, y = layer(seed)
    t, n_bins = t / 4, 1 + seed % 40  # the grids are nested inside [low, high]
    coarse, fine = Binning(n_bins, -1.0, 1.0)(t, y), Binning(2 * n_bins, -1.0, 1.0)(t, y)
    assert fine.i_xt >= coarse.i_xt - ROUNDING
    assert fine.i_ty >= coarse.i_ty - ROUNDING


@every_exact
@few
@given(seed=seeds)
def test_no_ruler_sees_more_than_the_rows(ruler, seed):
    """Every code is a function of the float32 row, so Exact() is the most one can see."""
    t, y = layer(seed, limits=ruler.limits)
    assert ruler(t, y).i_xt <= Exact()(t, y).i_xt + ROUNDING
    assert ruler(t, y).i_ty <= Exact()(t, y).i_ty + ROUNDING


@every_exact
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -0.3, 1e-40])
def test_a_constant_layer_says_nothing(ruler, value):
    """P9, exactly: one symbol carries no information."""
    assert ruler(np.full((9, 3), value, np.float32), np.arange(9) % 4) == (0.0, 0.0)


@every_exact
@few
@given(seed=seeds)
def test_every_sample_twice_is_the_same_population(ruler, seed):
    """Information is of frequencies: what occurs 2 n times among 2 N says the same."""
    t, y = layer(seed, limits=ruler.limits)
    twice = ruler(np.repeat(t, 2, axis=0), np.repeat(y, 2))
    assert twice == pytest.approx(ruler(t, y), abs=ROUNDING)


@every_exact
def test_equal_numbers_are_equal_whatever_their_sign_bit(ruler):
    """-0.0 is 0.0."""
    assert ruler([[0.0, 1.0], [-0.0, 1.0]], [0, 1]) == (0.0, 0.0)


def test_the_layer_is_left_as_it_was():
    """Rulers neither write to their arguments nor depend on their memory layout."""
    for ruler in EXACT:
        t, y = layer(11, limits=ruler.limits)
        kept = t.copy()
        assert ruler(np.asfortranarray(t), y) == ruler(t, y)
        assert ruler(np.repeat(t, 2, axis=1)[:, ::2], y) == ruler(t, y)
        assert ruler(t.tolist(), y.tolist()) == ruler(t, y)
        np.testing.assert_array_equal(t, kept)
