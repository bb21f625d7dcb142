"""The discrete estimators, one by one: their definitions, conventions and refusals.

What holds for all of them stands in ``test_discrete_invariants.py``.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_rulers import every_exact, layer, plain_information, rows, seeds

from ibcore.estimators import (
    Binning,
    EdgeBinning,
    Exact,
    LayerInformation,
    checked_layer,
    information_of_codes,
)
from ibcore.estimators.counting import CountingRuler

few = settings(max_examples=25)

# ------------------------------------------------------------------------------- the right symbols


def intervals(low, high, n):
    """e_k <= t < e_{k+1} in float64, `high` in the last one, far beyond [low, high] too."""
    edges = np.array([low + k * (high - low) / n for k in range(-40 * n, 41 * n)])

    def codes(t):
        found = np.searchsorted(edges, t.astype(np.float64), side="right") - 1 - 40 * n
        return np.where(t == high, n - 1, found)

    return codes


def digitized(n_edges):
    """The released code: an index of -1 is the last symbol."""

    def codes(t):
        found = np.digitize(t, np.linspace(-1, 1, n_edges).astype(np.float32)) - 1
        return np.where(found == -1, n_edges - 1, found)

    return codes


DEFINITIONS = [
    (Binning(n_bins=30, low=-1.0, high=1.0), intervals(-1.0, 1.0, 30)),
    (Binning(n_bins=7, low=-0.5, high=0.8), intervals(-0.5, 0.8, 7)),
    (Binning(width=0.07), lambda t: np.floor(t / np.float32(0.07)).astype(int)),
    (EdgeBinning(n_edges=30), digitized(30)),
]


@pytest.mark.parametrize(("ruler", "definition"), DEFINITIONS, ids=lambda one: repr(one)[:12])
@few
@given(seed=seeds)
def test_codes_are_those_of_the_definition(ruler, definition, seed):
    """One entry at a time, values outside the range and edges met exactly included."""
    t, _ = layer(seed)
    np.testing.assert_array_equal(ruler.codes(t), definition(t))


@few
@given(seed=seeds)
def test_exact_tells_apart_what_float32_does(seed):
    """Codes of two entries are equal where the entries are, and nowhere else."""
    t, _ = layer(seed)
    codes = Exact().codes(t)
    np.testing.assert_array_equal(codes[:, None] == codes, t[:, None] == t)


@pytest.mark.parametrize("width", [1, 3, 12, 13, 40, 300])
@pytest.mark.parametrize("ruler", [Binning(n_bins=64, low=0.0, high=1.0), Exact()], ids=repr)
def test_layers_wider_than_a_word_stay_exact(ruler, width):
    """Rows copied from 16 patterns that differ only in their last units have 4 bits at most."""
    rng = np.random.default_rng(width)
    patterns = np.repeat(rng.random((1, width)), 16, axis=0)
    patterns[:, -4:] = rng.random((16, min(4, width)))
    which = np.arange(4096) % 16
    t = patterns[which].astype(np.float32)
    expected = plain_information(rows(ruler.codes(t)), np.eye(2)[which % 2])
    assert ruler(t, which % 2) == pytest.approx(expected, abs=1e-10)


def test_one_unit_with_codes_far_apart_is_numbered_by_rank():
    """Only equality of codes matters, however far apart they lie."""
    codes = np.array([[-(2**50), 2**50], [2**50, 0], [0, 2**50], [-(2**50), 2**50]] * 2**13)
    found = information_of_codes(codes, np.arange(len(codes)) % 4)
    assert found == (1.5, 1.5)


def test_many_classes_and_sparse_labels_need_no_table():
    """Labels are names: I(T;Y) = H(Y) when T names the class too, up to 1000 and beyond."""
    y = np.array([5, 10**12, 70, 5])
    assert Exact()(np.array([[1.0], [2.0], [3.0], [1.0]]), y) == (1.5, 1.5)


@pytest.mark.parametrize("ruler", [Exact(), Binning(width=1e-7)], ids=repr)
def test_the_finest_ruler_counts_equal_rows(ruler):
    """I(X;T) = log2 N − (1/N) Σ φ(n_c) with the multiplicities n_c of the rows (P8)."""
    t = np.repeat([[0.1, 0.2], [0.3, 0.2], [0.3, 0.9]], [1, 2, 5], axis=0).astype(np.float32)
    expected = 3 - (2 * 1 + 5 * np.log2(5)) / 8
    assert ruler(t, [0] * 8).i_xt == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ruler", [Binning(n_bins=1), Binning(width=10.0), EdgeBinning(2)])
def test_one_bin_for_all_tells_nothing(ruler):
    """A ruler coarser than the data gives exactly zero (P9)."""
    t, y = layer(3)
    t = np.abs(t) / 4
    assert ruler(t, y) == (0.0, 0.0)
    assert ruler(t, y / 10) == pytest.approx((0.0, 0.0), abs=1e-12)


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


@pytest.mark.parametrize("n_edges", [2, 30, 50, 1001])
def test_edges_are_float32_as_in_the_released_code(n_edges):
    """Its edges are cast: a float32 activation on an edge belongs to the bin that begins there."""
    edges = np.linspace(-1, 1, n_edges).astype(np.float32)
    ruler = EdgeBinning(n_edges)
    assert ruler.edges().tolist() == edges.tolist()
    for t in (edges, np.nextafter(edges, np.float32(-2)), np.nextafter(edges, np.float32(2))):
        found = ruler.codes(t[:, None])[:, 0]
        assert found.tolist() == digitized(n_edges)(t).tolist()
    assert ruler.codes(edges[:, None])[:, 0].tolist() == list(range(n_edges))


def test_one_activation_in_a_million_lies_between_the_two_kinds_of_edges():
    """0.6551724 is the float32 below the edge 19/29, and that edge in float32."""
    t = np.array([[0.6551724]], np.float32)
    edge = np.linspace(-1, 1, 30)[24]
    assert float(t[0, 0]) < edge
    assert EdgeBinning(30).codes(t) == 24


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
        ({"n_bins": 1, "low": 0.0, "high": 5e-324}, "narrower than float64"),
        ({"n_bins": 10**10, "low": 0.0, "high": 1e300}, r"no wider than 1e\+290"),
        ({"n_bins": 10**400}, "n_bins must be at most 1 125 899 906 842 624"),
        ({"n_bins": 10**9000}, "n_bins must be at most .*that cannot be printed"),
        ({"n_bins": np.array([3, 4])}, "n_bins must be an integer"),
        ({"n_bins": 3, "low": "0", "high": 1}, "low must be a finite number, got '0'"),
        ({"n_bins": 3, "low": 0j, "high": 1}, "low must be a finite number, got 0j"),
        ({"width": 0}, "width must be positive"),
        ({"width": -0.1}, "width must be positive"),
        ({"width": np.nan}, "width must be a finite number"),
        ({"width": 1e-60}, "rounds to 0"),
        ({"width": 1e300}, r"width must be finite in float32, got 1e\+300"),
    ],
)
def test_impossible_bins_are_refused(settings_, message):
    with pytest.raises(ValueError, match=message):
        Binning(**settings_)


def test_impossible_edges_are_refused():
    with pytest.raises(ValueError, match="n_edges must be an integer of at least 2"):
        EdgeBinning(n_edges=1)
    with pytest.raises(ValueError, match="n_edges must be at most 10 000 000, got 1000000000000"):
        EdgeBinning(n_edges=10**12)


@every_exact
@pytest.mark.parametrize(
    ("t", "y", "message"),
    [
        ([[0.0, 1], [np.nan, 1], [np.inf, 1]], [0, 1, 0], "unit 0 has 2 NaN or infinite values"),
        ([0.0, 1.0], [0, 1], r"t must be \(sample, unit\)"),
        (0.5, [0, 1], r"t must be \(sample, unit\)"),
        (np.zeros((2, 1, 1)), [0, 1], r"t must be \(sample, unit\)"),
        ([], [], r"t must be \(sample, unit\)"),
        (np.zeros((2, 0)), [0, 1], "at least one unit"),
        ([[0.5]], [0], "at least 2 samples"),
        ([[0.5], [0.6, 0.7]], [0, 1], "t cannot be read as an array: .*inhomogeneous"),
        ([[0.5j], [0.6]], [0, 1], "real numbers, got dtype complex128"),
        ([["a"], ["b"]], [0, 1], "real numbers, got dtype <U1"),
        (np.array([[0.5], [0.6]], object), [0, 1], "real numbers, got dtype object"),
        (np.ma.array([[0.5], [0.6]], mask=[[1], [0]]), [0, 1], "t is masked"),
        ([[2**53 + 2], [0]], [0, 1], r"integers in t beyond 2\*\*53"),
        ([[0.5], [0.6]], [0, 1, 1], "one label for each of the 2 samples"),
        ([[0.5], [0.6]], 0, r"y must be \(sample,\)"),
        ([[0.5], [0.6]], [[0], [1]], "must be non-negative rows with sum 1"),
        ([[0.5], [0.6]], [0.5, 1.5], r"read as P\(y=1.x\)"),
        ([[0.5], [0.6]], [0.5, np.nan], r"read as P\(y=1.x\)"),
        ([[0.5], [0.6]], [1, "1"], "y mixes kinds"),
        ([[0.5], [0.6]], [1, None], "y mixes kinds"),
        ([[0.5], [0.6]], [1j, 2], "y must be"),
        ([[0.5], [0.6]], np.ma.array([0, 1], mask=[1, 0]), "y is masked"),
        ([[0.5], [0.6]], [[1], [0, 1]], "y cannot be read as an array"),
    ],
)
def test_what_cannot_be_measured_is_refused(ruler, t, y, message):
    with pytest.raises(ValueError, match=message):
        ruler(t, y)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([[0.5], [1.0]], "integers of at least 2 samples and one unit, got float64"),
        ([0, 1], r"integers .*, got int64 of shape \(2,\)"),
        ([[0]], r"at least 2 samples"),
        ([[2**50 + 1], [0]], r"codes must lie within ±2\*\*50, got 0 to 1125899906842625"),
        ([[-(2**60)], [0]], r"codes must lie within"),
    ],
)
def test_codes_that_are_none_are_refused(codes, message):
    """A float would be cut off, and a number too large would overflow."""
    with pytest.raises(ValueError, match=message):
        information_of_codes(codes, [0, 1])


def test_a_counting_ruler_without_codes_says_what_is_missing():
    class _Nothing(CountingRuler):
        pass

    with pytest.raises(ValueError, match=r"_Nothing does not say what it counts: write codes"):
        _Nothing()([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("estimator", [Binning(), Binning(width=0.07)], ids=repr)
def test_activations_beyond_the_grid_are_refused(estimator):
    with pytest.raises(ValueError, match=r"largest activation is 1e\+30"):
        estimator(np.array([[1e30], [0.0]], np.float32), [0, 1])


def test_activations_beyond_float32_are_refused_where_it_is_the_ruler():
    """They are finite, and a message about NaN would mislead."""
    with pytest.raises(ValueError, match=r"t holds -1e\+39, which is beyond float32; rescale"):
        Exact()([[0.0], [-1e39]], [0, 1])


@every_exact
@pytest.mark.parametrize("kind", [np.float16, np.float64, np.longdouble, np.int8, np.uint64, bool])
def test_a_layer_may_be_of_any_real_type(ruler, kind):
    """0 and 1 are the same numbers in each of them."""
    t, y = np.random.default_rng(0).integers(0, 2, (20, 3)), np.arange(20) % 3
    assert ruler(t.astype(kind), y) == ruler(t.astype(np.float32), y)


def test_numbers_of_other_types_become_floats():
    """Whole numbers, as of a quantised layer, are measured too; float32 stays what it is."""
    assert Exact()(np.array([[1, 2], [1, 3]]), [0, 1]) == (1.0, 1.0)
    assert checked_layer(np.zeros((2, 1), np.float32)).dtype == np.float32
    assert checked_layer(np.zeros((2, 1), np.int8)).dtype == np.float64
