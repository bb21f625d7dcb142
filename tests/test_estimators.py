"""The discrete estimators, held against dictionaries, theorems and the conventions they name."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibcore.estimators import (
    Binning,
    EdgeBinning,
    Exact,
    LayerInformation,
    checked_layer,
    information_of_codes,
)
from ibcore.information import entropy

ESTIMATORS = [
    Binning(n_bins=30, low=-1.0, high=1.0),
    Binning(n_bins=7, low=-0.5, high=0.8),
    Binning(width=0.07),
    EdgeBinning(n_edges=30),
    Exact(),
]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
few = settings(max_examples=25, deadline=None)


def layer(seed, n_classes=None):
    """A layer with duplicates, dead units, saturation, exact edges, -0.0 and values outside."""
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, 200), rng.integers(1, 14)
    t = np.tanh(rng.normal(size=(n, d)) * rng.choice([0.01, 1, 30]))
    t = np.where(rng.random((n, d)) < 0.1, rng.choice([-1, -0.0, 0.0, 1, 0.5, 2.5, -3], (n, d)), t)
    t[:, rng.random(d) < 0.2] = 0.25
    t = t[rng.integers(0, n, n)] if rng.random() < 0.5 else t
    y = rng.integers(0, n_classes or rng.integers(1, 11), n)
    return t.astype(np.float32), y


def reference_codes(estimator, t):
    """The symbol of every entry, straight from the definition, one entry at a time."""
    if isinstance(estimator, Exact):
        return t + np.float32(0)
    if isinstance(estimator, EdgeBinning):
        codes = np.digitize(t, np.linspace(-1, 1, estimator.n_edges)) - 1
        return np.where(codes == -1, estimator.n_edges - 1, codes)
    if estimator.width is not None:
        return np.floor(t / np.float32(estimator.width)).astype(int)
    low, high, n = estimator.low, estimator.high, estimator.n_bins
    edges = np.array([low + k * (high - low) / n for k in range(-40 * n, 41 * n)])
    codes = np.searchsorted(edges, t.astype(np.float64), side="right") - 1 - 40 * n
    return np.where(t == high, n - 1, codes)


def plain_information(symbols, p_y):
    """The textbook sum over the full table of (symbol, class), from Python dictionaries."""
    n = len(symbols)
    p_t = {symbol: count / n for symbol, count in Counter(symbols).items()}
    joint = Counter()
    for symbol, row in zip(symbols, p_y, strict=True):
        for label, p in enumerate(row):
            joint[symbol, label] += p / n
    p_label = np.mean(p_y, axis=0)
    i_ty = sum(p * np.log2(p / (p_t[s] * p_label[c])) for (s, c), p in joint.items() if p > 0)
    return -sum(p * np.log2(p) for p in p_t.values()), i_ty


def rows(codes):
    return [tuple(row) for row in codes.tolist()]


# ------------------------------------------------------------------------------- the right values


@every_estimator
@few
@given(seed=st.integers(0, 10**6))
def test_information_is_that_of_the_full_table(estimator, seed):
    """I(X;T) = H(T) and I(T;Y) = Σ p(t,y) log2 p(t,y)/p(t)p(y), by brute force."""
    t, y = layer(seed)
    expected = plain_information(rows(reference_codes(estimator, t)), np.eye(10)[y])
    assert estimator(t, y) == pytest.approx(expected, abs=1e-10)


@every_estimator
@few
@given(seed=st.integers(0, 10**6))
def test_soft_labels_weigh_the_table(estimator, seed):
    """n_cy becomes the sum of P(y|x) over the samples with symbol c."""
    t, y = layer(seed)
    p_y = np.random.default_rng(seed).dirichlet(np.ones(3), size=4)[y % 4]
    expected = plain_information(rows(reference_codes(estimator, t)), p_y)
    assert estimator(t, p_y) == pytest.approx(expected, abs=1e-10)
    p_1 = p_y[:, 0]
    expected = plain_information(
        rows(reference_codes(estimator, t)), np.column_stack([1 - p_1, p_1])
    )
    assert estimator(t, p_1) == pytest.approx(expected, abs=1e-10)


@every_estimator
def test_certain_soft_labels_are_hard_labels(estimator):
    """P(y=1|x) in {0, 1} is a label, in either of the three ways to write it."""
    t, y = layer(5, n_classes=2)
    hard = estimator(t, y)
    assert estimator(t, y.astype(float)) == pytest.approx(hard, abs=1e-12)
    assert estimator(t, np.eye(2)[y]) == pytest.approx(hard, abs=1e-12)


@pytest.mark.parametrize("width", [1, 3, 12, 13, 40, 300])
@pytest.mark.parametrize("estimator", [Binning(n_bins=64, low=0.0, high=1.0), Exact()], ids=repr)
def test_layers_wider_than_a_word_stay_exact(estimator, width):
    """Rows copied from 16 patterns that differ only in their last units have 4 bits at most."""
    rng = np.random.default_rng(width)
    patterns = np.repeat(rng.random((1, width)), 16, axis=0)
    patterns[:, -4:] = rng.random((16, min(4, width)))
    which = np.arange(4096) % 16
    t = patterns[which].astype(np.float32)
    expected = plain_information(rows(reference_codes(estimator, t)), np.eye(2)[which % 2])
    assert estimator(t, which % 2) == pytest.approx(expected, abs=1e-10)


def test_one_unit_with_codes_far_apart_is_numbered_by_rank():
    """Only equality of codes matters, however far apart they lie."""
    codes = np.array([[-(2**50), 2**50], [2**50, 0], [0, 2**50], [-(2**50), 2**50]] * 2**13)
    found = information_of_codes(codes, np.arange(len(codes)) % 4)
    assert found == (1.5, 1.5)


def test_many_classes_and_sparse_labels_need_no_table():
    """Labels are names: I(T;Y) = H(Y) when T names the class too, up to 1000 and beyond."""
    y = np.array([5, 10**12, 70, 5])
    assert Exact()(np.array([[1.0], [2.0], [3.0], [1.0]]), y) == (1.5, 1.5)


# ------------------------------------------------------------------------------------- the theorems


@every_estimator
@few
@given(seed=st.integers(0, 10**6))
def test_information_stays_between_its_bounds(estimator, seed):
    """0 <= I(T;Y) <= min(I(X;T), H(Y)) and I(X;T) <= log2 n (P1-P3)."""
    t, y = layer(seed)
    found = estimator(t, y)
    assert 0 <= found.i_xt <= np.log2(len(t)) + 1e-12
    assert found.i_ty >= -1e-12
    assert found.i_ty <= min(found.i_xt, entropy(np.bincount(y) / len(y))) + 1e-12


@every_estimator
@few
@given(seed=st.integers(0, 10**6))
def test_order_leaves_no_trace(estimator, seed):
    """Samples, units and classes in another order give the same floats, bit for bit (P6)."""
    t, y = layer(seed)
    rng = np.random.default_rng(seed)
    sample, unit, name = rng.permutation(len(t)), rng.permutation(t.shape[1]), rng.permutation(10)
    assert estimator(t[sample][:, unit], name[y[sample]]) == estimator(t, y)


@every_estimator
@few
@given(seed=st.integers(0, 10**6))
def test_soft_labels_leave_no_trace_of_the_order_either(estimator, seed):
    """For soft labels too samples and units may come in any order, bit for bit (P6)."""
    t, y = layer(seed)
    p_1 = np.random.default_rng(seed).random(10)[y]
    rng = np.random.default_rng(seed)
    sample, unit = rng.permutation(len(t)), rng.permutation(t.shape[1])
    assert estimator(t[sample][:, unit], p_1[sample]) == estimator(t, p_1)


@few
@given(seed=st.integers(0, 10**6), n_bins=st.integers(1, 40))
def test_nested_bins_never_lose_information(seed, n_bins):
    """Bins twice as fine tell at least as much; rows as they are tell most (P7)."""
    t, y = layer(seed)
    t = t / 4  # the grids are nested inside [low, high], up to the closed end
    ladder = [Binning(n_bins=n_bins * k, low=-1.0, high=1.0)(t, y) for k in (1, 2, 4)]
    for coarse, fine in pairwise([*ladder, Exact()(t, y)]):
        assert coarse.i_xt <= fine.i_xt + 1e-12
        assert coarse.i_ty <= fine.i_ty + 1e-12


@pytest.mark.parametrize("estimator", [Exact(), Binning(width=1e-7)], ids=repr)
def test_the_finest_ruler_counts_equal_rows(estimator):
    """I(X;T) = log2 N − (1/N) Σ φ(n_c) with the multiplicities n_c of the rows (P8)."""
    t = np.repeat([[0.1, 0.2], [0.3, 0.2], [0.3, 0.9]], [1, 2, 5], axis=0).astype(np.float32)
    expected = 3 - (2 * 1 + 5 * np.log2(5)) / 8
    assert estimator(t, [0] * 8).i_xt == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("estimator", [Binning(n_bins=1), Binning(width=10.0), EdgeBinning(2)])
def test_one_bin_for_all_tells_nothing(estimator):
    """A ruler coarser than the data gives exactly zero (P9)."""
    t, y = layer(3)
    t = np.abs(t) / 4
    assert estimator(t, y) == (0.0, 0.0)
    assert estimator(t, y / 10) == pytest.approx((0.0, 0.0), abs=1e-12)


@every_estimator
@few
@given(seed=st.integers(0, 10**6))
def test_a_layer_knows_more_than_a_unit_and_less_than_their_sum(estimator, seed):
    """Σ H(T_j) >= H(T) >= max H(T_j) (P16)."""
    t, y = layer(seed)
    units = [estimator(t[:, [j]], y).i_xt for j in range(t.shape[1])]
    assert max(units) - 1e-12 <= estimator(t, y).i_xt <= sum(units) + 1e-12


# ---------------------------------------------------------------------------- the conventions named


@few
@given(
    n_bins=st.integers(1, 200),
    low=st.floats(-10, 10),
    span=st.floats(0.01, 100),
    seed=st.integers(0, 999),
)
def test_edges_are_compared_in_float64_and_closed_on_the_left(n_bins, low, span, seed):
    """Code k holds e_k <= t < e_{k+1}, e_k = low + k (high − low) / n_bins; high is in the last."""
    high = low + span
    edges = np.array([low + k * (high - low) / n_bins for k in range(n_bins)] + [high])
    near = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
    t = np.concatenate([near, np.random.default_rng(seed).uniform(low, high, 50)])
    t = np.concatenate([t, t.astype(np.float32)])
    t = t[(t >= low) & (t <= high)]
    expected = np.searchsorted(edges, t, side="right") - 1
    expected[t == high] = n_bins - 1
    codes = Binning(n_bins=n_bins, low=low, high=high).codes(t[:, None])
    assert codes[:, 0].tolist() == expected.tolist()


def test_float32_is_not_compared_in_float32():
    """The float32 next to the edge 0.2 is above it in float64, though equal in float32."""
    edge = -1 + 9 * 2 / 15
    above, below = np.float32(0.2), np.nextafter(np.float32(0.2), np.float32(0))
    assert np.float64(below) < edge < np.float64(above)
    codes = Binning(n_bins=15, low=-1.0, high=1.0).codes(np.array([[below], [above]]))
    assert codes[:, 0].tolist() == [8, 9]


def test_nothing_is_clipped():
    """The grid goes on outside: −1.5 is not −1, and 5 and 50 are two symbols."""
    codes = Binning(n_bins=4, low=-1.0, high=1.0).codes(
        np.array([[-1.5], [-1.01], [-1.0], [1.0], [1.01], [1.5], [5.0], [50.0]], np.float32)
    )
    assert codes[:, 0].tolist() == [-1, -1, 0, 3, 4, 5, 12, 102]
    assert Binning()([[5.0], [50.0]], [0, 1]) == (1.0, 1.0)


def test_an_even_number_of_bins_has_an_edge_at_zero():
    """A unit that hardly moves about 0 has 1 bit with 30 bins and none with 29 or 31."""
    t = np.array([[-1e-6], [1e-6]], dtype=np.float32)
    assert [Binning(n_bins=n)(t, [0, 1]).i_xt for n in (29, 30, 31)] == [0.0, 1.0, 0.0]


def test_width_divides_in_float32():
    """0.07 * 3 in float32 divided by float32(0.07) is 3, and codes of negative numbers floor."""
    t = np.array([[np.float32(0.07) * np.float32(3)], [-0.001], [-0.0], [0.069], [1e9]], np.float32)
    expected = np.floor(t / np.float32(0.07)).astype(np.int64)
    codes = Binning(width=0.07).codes(t)
    assert codes.tolist() == expected.tolist()
    assert codes[:4, 0].tolist() == [3, -1, 0, 0]


def test_edge_binning_is_digitize_with_its_wrap_around():
    """29 intervals; exactly +1, all above it and all below −1 share the 30th symbol."""
    t = np.array([[-1.0], [-0.999], [0.0], [0.9999], [1.0], [7.0], [-1.0001]], np.float32)
    codes = EdgeBinning(n_edges=30).codes(t)[:, 0]
    assert codes.tolist() == [0, 0, 14, 28, 29, 29, 29]


def test_equal_numbers_are_equal_whatever_their_sign_bit():
    """−0.0 is 0.0 for every estimator."""
    for estimator in ESTIMATORS:
        assert estimator([[0.0, 1.0], [-0.0, 1.0]], [0, 1]) == (0.0, 0.0)


def test_names_settings_and_results_are_plain():
    """The repr is the name in every result; equal settings make equal estimators."""
    assert repr(Binning(n_bins=np.int64(30), low=-1, high=1)) == (
        "Binning(n_bins=30, low=-1.0, high=1.0)"
    )
    assert repr(Binning(width=np.float64(0.07))) == "Binning(width=0.07)"
    assert repr(EdgeBinning()) == "EdgeBinning(n_edges=30)"
    assert repr(Exact()) == "Exact()"
    assert Binning() == Binning(n_bins=30) == Binning(n_bins=30, low=-1, high=1)
    assert Binning().measures == "I(X; bin(T))"
    assert Exact().prepare(None) == Exact()
    found = Binning()([[0.0], [1.0]], [0, 1])
    assert isinstance(found, LayerInformation)
    assert [type(value) for value in found] == [float, float]


def test_the_layer_is_left_as_it_was():
    """Estimators neither write to their arguments nor depend on their memory layout."""
    t, y = layer(11)
    kept = t.copy()
    for estimator in ESTIMATORS:
        assert estimator(np.asfortranarray(t), y) == estimator(t, y)
        assert estimator(np.repeat(t, 2, axis=1)[:, ::2], y) == estimator(t, y)
    np.testing.assert_array_equal(t, kept)


# ------------------------------------------------------------------------------------- the refusals


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"n_bins": 30, "width": 0.07}, "either n_bins with low and high, or width"),
        ({"low": 0.0, "high": 1.0}, "a range needs n_bins"),
        ({"n_bins": 30, "low": 0.0}, "both ends of the range"),
        ({"n_bins": 0}, "n_bins must be an integer of at least 1, got 0"),
        ({"n_bins": 2.5}, "n_bins must be an integer"),
        ({"n_bins": True}, "n_bins must be an integer"),
        ({"n_bins": 3, "low": 1, "high": 1}, "low < high"),
        ({"n_bins": 3, "low": 0, "high": np.inf}, "high must be a finite number"),
        ({"n_bins": 3, "low": np.nan, "high": 1}, "low must be a finite number"),
        ({"n_bins": 10**6, "low": 1e12, "high": 1e12 + 1}, "narrower than float64"),
        ({"width": 0}, "width must be positive"),
        ({"width": -0.1}, "width must be positive"),
        ({"width": np.nan}, "width must be a finite number"),
        ({"width": 1e-60}, "rounds to 0"),
    ],
)
def test_impossible_bins_are_refused(settings_, message):
    with pytest.raises(ValueError, match=message):
        Binning(**settings_)


def test_impossible_edges_are_refused():
    with pytest.raises(ValueError, match="n_edges must be an integer of at least 2"):
        EdgeBinning(n_edges=1)


@every_estimator
@pytest.mark.parametrize(
    ("t", "y", "message"),
    [
        ([[0.0, 1], [np.nan, 1], [np.inf, 1]], [0, 1, 0], "unit 0 has 2 NaN or infinite values"),
        ([0.0, 1.0], [0, 1], r"t must be \(sample, unit\)"),
        (np.zeros((2, 0)), [0, 1], "at least one unit"),
        ([[0.5]], [0], "at least 2 samples"),
        ([[0.5], [0.6]], [0, 1, 1], "one label for each of the 2 samples"),
        ([[0.5], [0.6]], [0, -1], "labels count from 0, got the label -1"),
        ([[0.5], [0.6]], ["a", "b"], "y must be"),
        ([[0.5], [0.6]], [[0], [1]], "y must be"),
        ([[0.5], [0.6]], [0.5, 1.5], "P"),
    ],
)
def test_what_cannot_be_measured_is_refused(estimator, t, y, message):
    with pytest.raises(ValueError, match=message):
        estimator(t, y)


@pytest.mark.parametrize("estimator", [Binning(), Binning(width=0.07)], ids=repr)
def test_activations_beyond_the_grid_are_refused(estimator):
    with pytest.raises(ValueError, match=r"largest activation is 1e\+30"):
        estimator(np.array([[1e30], [0.0]], np.float32), [0, 1])


def test_numbers_of_other_types_become_floats():
    """Whole numbers, as of a quantised layer, are measured too; float32 stays what it is."""
    assert Exact()(np.array([[1, 2], [1, 3]]), [0, 1]) == (1.0, 1.0)
    assert checked_layer(np.zeros((2, 1), np.float32)).dtype == np.float32
    assert checked_layer(np.zeros((2, 1), np.int8)).dtype == np.float64
