"""What every ruler that counts symbols must satisfy, whatever its bins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibcore.estimators import AdaptiveBinning, Binning, EdgeBinning, Exact, NetInputBinning
from ibcore.information import entropy_from_counts

RULERS = [
    Binning(30, -1.0, 1.0), Binning(7, -0.5, 0.25), Binning(width=0.07), EdgeBinning(30),
    AdaptiveBinning(30), AdaptiveBinning(5), AdaptiveBinning(30, released=True),
    NetInputBinning(30), NetInputBinning(30, collapsed=True), Exact(),
]  # fmt: skip
every_ruler = pytest.mark.parametrize("ruler", RULERS, ids=repr)
layers = st.builds(
    lambda seed, n, d, decimals, classes: _layer(seed, n, d, decimals, classes),
    st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 5), st.integers(0, 6),
    st.integers(1, 10),
)  # fmt: skip


def _layer(seed, n, d, decimals, classes):
    """A tanh layer with duplicates, a dead unit now and then, and up to ten classes."""
    rng = np.random.default_rng(seed)
    t = np.round(np.tanh(2 * rng.normal(size=(n, d))), decimals).astype(np.float32)
    t[:, rng.integers(d)] *= rng.integers(2)
    return t, rng.integers(0, classes, n)


@every_ruler
@settings(max_examples=25, deadline=None)
@given(layer=layers)
def test_ranges(ruler, layer):
    """P1-P3: 0 <= I(T;Y) <= min(I(X;T), H(Y)), I(X;T) <= log2 N."""
    t, y = layer
    i_xt, i_ty = ruler(t, y)
    assert -1e-10 <= i_ty <= min(i_xt, entropy_from_counts(np.bincount(y))) + 1e-10
    assert i_xt <= np.log2(len(t)) + 1e-10


@every_ruler
@settings(max_examples=25, deadline=None)
@given(layer=layers, seed=st.integers(0, 100))
def test_the_order_of_rows_units_and_classes_leaves_no_trace(ruler, layer, seed):
    """P6, to the last bit."""
    t, y = layer
    rng = np.random.default_rng(seed)
    rows, units, names = rng.permutation(len(t)), rng.permutation(t.shape[1]), rng.permutation(10)
    assert ruler(t[rows][:, units], names[y[rows]]) == ruler(t, y)


@every_ruler
@settings(max_examples=15, deadline=None)
@given(layer=layers)
def test_units_together_know_more_than_one_and_less_than_all_apart(ruler, layer):
    """P16, for rulers whose bins do not depend on the other units."""
    t, y = layer
    if isinstance(ruler, AdaptiveBinning):
        codes = ruler.codes(t)
        alone = [entropy_from_counts(np.bincount(column)) for column in codes.T]
    else:
        alone = [ruler(t[:, [unit]], y).i_xt for unit in range(t.shape[1])]
    joint = ruler(t, y).i_xt
    assert max(alone) - 1e-10 <= joint <= sum(alone) + 1e-10


@settings(max_examples=25, deadline=None)
@given(layer=layers, n_bins=st.integers(1, 40))
def test_halving_the_bins_never_loses_information(layer, n_bins):
    """P7: nested intervals."""
    t, y = layer
    coarse, fine = Binning(n_bins, -1.0, 1.0)(t, y), Binning(2 * n_bins, -1.0, 1.0)(t, y)
    assert fine.i_xt >= coarse.i_xt - 1e-10
    assert fine.i_ty >= coarse.i_ty - 1e-10


@every_ruler
@settings(max_examples=15, deadline=None)
@given(layer=layers)
def test_no_ruler_sees_more_than_the_rows(ruler, layer):
    """Every code is a function of the float32 row, so Exact() is the most one can see."""
    t, y = layer
    assert ruler(t, y).i_xt <= Exact()(t, y).i_xt + 1e-10
    assert ruler(t, y).i_ty <= Exact()(t, y).i_ty + 1e-10
