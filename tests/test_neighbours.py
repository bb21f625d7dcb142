"""Nearest-neighbour estimates against closed forms, quadrature, exact tables and full matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import digamma
from scipy.stats import norm as gaussian

from ibcore.estimators import neighbours
from ibcore.estimators.neighbours import (
    differential_entropy,
    label_information,
    mutual_information,
)
from ibcore.information import binary_entropy, mutual_information_from_counts

EXACT = 1e-12
both_norms = pytest.mark.parametrize("norm", ["max", "euclidean"])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# --- continuous variables -------------------------------------------------------------------------


@both_norms
@pytest.mark.parametrize("d", [1, 3])
def test_entropy_of_a_gaussian(d, norm, rng):
    """h = d/2 log2(2πe), whatever the shape of the ball."""
    found = differential_entropy(rng.normal(size=(20_000, d)), norm=norm)
    assert found == pytest.approx(d / 2 * np.log2(2 * np.pi * np.e), abs=0.03)


def test_entropy_moves_with_the_scale(rng):
    """h(aT) = h(T) + d log2 a, exactly: why it is no ruler for layers."""
    t = rng.normal(size=(500, 4))
    expected = differential_entropy(t) + 4 * np.log2(10)
    assert differential_entropy(10 * t) == pytest.approx(expected)
    assert differential_entropy(t, k=np.int8(127)) == differential_entropy(t, k=127)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_bivariate_gaussian(k, rng):
    """ρ = 0.75: 0.413339 nats."""
    x, z = rng.normal(size=(2, 20_000))
    found = mutual_information(x, 0.75 * x + np.sqrt(1 - 0.75**2) * z, k=k)
    assert found * np.log(2) == pytest.approx(0.413339, abs=0.02)


@both_norms
def test_gaussian_channel_of_two_units(norm, rng):
    """I = d/2 log2(1 + SNR), Shannon's formula: 2 bits."""
    x, z = rng.normal(size=(2, 4000, 2))
    found = mutual_information(np.sqrt(3) * x, np.sqrt(3) * x + z, norm=norm)
    assert found == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(("width", "nats"), [(0.1, 1.709438), (0.75, 0.333333)])
def test_additive_uniform_noise(width, nats, rng):
    """X uniform on [0, 1], noise on ±ε: ε - ln 2ε up to ε = 1/2, then 1/(4ε)."""
    x, noise = rng.random(20_000), rng.uniform(-width, width, 20_000)
    assert mutual_information(x, x + noise) * np.log(2) == pytest.approx(nats, abs=0.03)


@both_norms
def test_independent_variables_share_nothing(norm, rng):
    """Two continuous ones, two ReLUs, and three labels."""
    y = rng.integers(0, 3, 2000)
    for x, t in (rng.random((2, 2000, 2)), np.maximum(rng.normal(size=(2, 2000, 2)), 0)):
        assert mutual_information(x, t, norm=norm) == pytest.approx(0, abs=0.1)
        assert label_information(t, y, norm=norm) == pytest.approx(0, abs=0.1)


@both_norms
def test_label_of_separate_and_of_overlapping_uniforms(norm, rng):
    """Far apart: H(Y) = 1 bit. Half over each other: 1/2 bit."""
    y = np.arange(20_000) % 2
    t = rng.random(20_000)
    assert label_information(t + 5 * y, y, norm=norm) == pytest.approx(1, abs=0.01)
    assert label_information(t + 0.5 * y, y, norm=norm) == pytest.approx(0.5, abs=0.03)


def test_norms_agree_in_one_column_and_only_the_euclidean_ignores_rotations(rng):
    x, t = rng.normal(size=(2, 300, 2)) + rng.normal(size=(300, 1))
    turned = t @ np.array([[0.6, -0.8], [0.8, 0.6]])
    for estimate in (
        lambda a, norm: mutual_information(x, a, norm=norm),
        lambda a, norm: label_information(a, x[:, 0] > 0, norm=norm),
        lambda a, norm: differential_entropy(a, norm=norm),
    ):
        assert estimate(t, "euclidean") == pytest.approx(estimate(turned, "euclidean"), abs=1e-9)
        assert abs(estimate(t, "max") - estimate(turned, "max")) > 1e-4
    one = x[:, :1]
    same = [mutual_information(one, t[:, :1], norm=norm) for norm in ("max", "euclidean")]
    assert same[0] == pytest.approx(same[1], abs=EXACT)


# --- discrete variables ---------------------------------------------------------------------------


@both_norms
def test_a_constant_says_nothing(norm, rng):
    """I = 0 exactly, beside a constant, a discrete, a continuous variable and labels."""
    constant, y = np.full((60, 2), 0.3), np.arange(60) % 3
    for other in (constant, y, rng.normal(size=(60, 2))):
        assert mutual_information(constant, other, norm=norm) == pytest.approx(0, abs=EXACT)
        assert mutual_information(other, constant, norm=norm) == pytest.approx(0, abs=EXACT)
    assert label_information(constant, y, norm=norm) == pytest.approx(0, abs=EXACT)
    assert label_information(rng.normal(size=60), np.zeros(60, int)) == pytest.approx(0, abs=EXACT)


@both_norms
def test_two_equal_variables_of_four_symbols_share_two_bits(norm):
    """I(X;X) = H(X) = 2 bits; the bias is 3 / (2N ln 2), the Miller-Madow term."""
    x = np.arange(400) % 4
    bias = 3 / (2 * 400 * np.log(2))
    assert mutual_information(x, x, norm=norm) == pytest.approx(2 + bias, abs=1e-4)
    assert label_information(x, x, norm=norm) == pytest.approx(2 + bias, abs=1e-4)


@both_norms
@given(counts=hnp.arrays(int, (3, 4), elements=st.integers(20, 60)))
@settings(max_examples=20)
def test_discrete_variables_give_their_table(norm, counts):
    """Plug-in information of the table, less its bias: up to (|X| - 1)(|T| - 1) / (2N ln 2)."""
    x, t = np.indices(counts.shape).reshape(2, -1).repeat(counts.ravel(), axis=1)
    plug_in, bias = mutual_information_from_counts(counts), 6 / (2 * counts.sum() * np.log(2))
    corners = np.eye(4)[t]  # the same symbols in four columns
    for found in (
        mutual_information(x, t, norm=norm),
        mutual_information(x, corners, norm=norm),
        label_information(corners, x, norm=norm),
    ):
        assert found == pytest.approx(plug_in - bias, abs=0.2 * bias)


def test_unequal_rows_that_are_equally_far_are_counted_as_they_lie(rng):
    """Independent variables of 20 values: 0 bits. Every x twice, T its remainder by 4: 2 bits.

    With k̃ = k, whatever lies in the ball, it would be 1.3 and 2.7.
    """
    x, t = rng.integers(0, 20, (2, 400))
    assert mutual_information(x, t) == pytest.approx(0, abs=0.4)
    x = np.arange(1000).repeat(2)
    assert mutual_information(x, x % 4, k=3) == pytest.approx(2, abs=0.01)


def test_half_a_step_of_jitter_undoes_what_rounding_adds(rng):
    """2000 Gaussian pairs, ρ = 0.75 (0.596 bit), in steps of 1/32: each is there about once."""
    x, z = rng.normal(size=(2, 2000))
    x, t = np.round(32 * np.array([x, 0.75 * x + np.sqrt(1 - 0.75**2) * z])) / 32
    assert mutual_information(x, t) == pytest.approx(0.9, abs=0.05)
    assert mutual_information(x, t, jitter=1 / 64) == pytest.approx(0.596, abs=0.05)


# --- mixed variables ------------------------------------------------------------------------------


def relu_channel_bits(noise):
    """I(X; max(0, X + σZ)) by quadrature, T's one atom and its density apart.

    Given x, T is 0 with probability Φ(-x/σ), and else has the density of N(x, σ²).
    """
    x, z = np.linspace(-9, 9, 2001), np.linspace(-9, 9, 2001)
    p_0 = gaussian.cdf(-x / noise)
    atom = np.trapezoid(gaussian.pdf(x) * p_0 * np.log2(np.maximum(p_0, 1e-300) / 0.5), x)
    t = x[:, None] + noise * z
    ratio = gaussian.logpdf(z) - np.log(noise) - gaussian.logpdf(t, scale=np.hypot(1, noise))
    inner = np.trapezoid(gaussian.pdf(z) * np.where(t > 0, ratio, 0) / np.log(2), z, axis=1)
    return atom + np.trapezoid(gaussian.pdf(x) * inner, x)


@both_norms
@pytest.mark.parametrize(("noise", "bits"), [(0.5, 0.850), (1.0, 0.389)])
def test_relu_of_a_noisy_gaussian(noise, bits, norm, rng):
    truth = relu_channel_bits(noise)
    assert truth == pytest.approx(bits, abs=1e-3)
    x, z = rng.normal(size=(2, 10_000))
    t = np.maximum(x + noise * z, 0)
    assert mutual_information(x, t, norm=norm) == pytest.approx(truth, abs=0.03)
    assert mutual_information(t, x, norm=norm) == pytest.approx(truth, abs=0.03)


@both_norms
def test_relu_and_the_sign_of_its_input(norm, rng):
    """Without noise 1 bit; with it P(Y=1|t) = Φ(t / σ√(1 + σ²)) for t > 0, and P(Y=1|T=0) is an
    orthant of a Gaussian of correlation ρ = 1/√(1 + σ²): 1/2 - arcsin(ρ)/π.
    """
    s, z = rng.normal(size=(2, 10_000))
    y = (s > 0).astype(int)
    assert label_information(np.maximum(s, 0), y, norm=norm) == pytest.approx(1, abs=0.005)
    t = np.linspace(1e-9, 12, 4001)
    given_t = [binary_entropy(p) for p in gaussian.cdf(t / np.sqrt(2))]
    left = np.trapezoid(gaussian.pdf(t, scale=np.sqrt(2)) * given_t, t)
    truth = 1 - left - 0.5 * binary_entropy(0.5 - np.arcsin(np.sqrt(0.5)) / np.pi)
    found = label_information(np.maximum(s + z, 0), y, norm=norm)
    assert found == pytest.approx(truth, abs=0.03)


def test_relu_against_itself_grows_with_the_samples(rng):
    """ψ(N) - ψ(n) at the n zeros, ψ(N) - ψ(k) at the others: infinite in the limit, as it must."""
    t = np.maximum(rng.normal(size=2000), 0)
    zeros = (t == 0).sum()
    at_rows = digamma(2000) - (zeros * digamma(zeros) + (2000 - zeros) * digamma(3)) / 2000
    assert mutual_information(t, t) == pytest.approx(at_rows / np.log(2), abs=0.01)


@both_norms
def test_atoms_beside_a_density(norm, rng):
    """Half the pairs from a binary symmetric channel, half Gaussian, never in one place:
    I = 1 + (1 - h(0.1)) / 2 + I_Gauss / 2, the bit being which half.
    """
    n = 4000
    x, z = rng.normal(size=(2, n))
    t = 0.75 * x + np.sqrt(1 - 0.75**2) * z
    bit = rng.integers(0, 2, n)
    flipped = bit ^ (rng.random(n) < 0.1)
    atom = np.arange(n) % 2 == 0
    x, t = np.where(atom, 50 + bit, x), np.where(atom, 50 + flipped, t)
    truth = 1 + (1 - binary_entropy(0.1)) / 2 + 0.413339 / np.log(2) / 2
    assert mutual_information(x, t, norm=norm) == pytest.approx(truth, abs=0.04)


@both_norms
def test_discrete_x_and_continuous_t(norm, rng):
    """X uniform on 0 … 4, T uniform on [X, X + 2]: log2 5 - 4/5 (Gao et al. 2017)."""
    x = np.arange(10_000) % 5
    t = x + 2 * rng.random(10_000)
    assert mutual_information(x, t, norm=norm) == pytest.approx(np.log2(5) - 0.8, abs=0.03)
    assert label_information(t, x, norm=norm) == pytest.approx(np.log2(5) - 0.8, abs=0.03)


def test_continuous_x_and_counts_t(rng):
    """X ~ Exp(1), T ~ Poisson(X): 2 ln 2 - γ - Σ 2⁻ʲ ln j nats (Gao et al. 2017)."""
    x = rng.exponential(size=10_000)
    j = np.arange(1, 60)
    nats = 2 * np.log(2) - np.euler_gamma - (np.log(j) / 2.0**j).sum()
    found = mutual_information(x, rng.poisson(x))
    assert found == pytest.approx(nats / np.log(2), abs=0.03)


@both_norms
def test_more_neighbours_than_equal_rows(norm, rng):
    """Every sample twice: for k = 1 rows are symbols that tell all, for k = 3 a density is seen."""
    y = np.arange(8000) // 2 % 2
    t = rng.random(4000).repeat(2) + 0.5 * y
    assert label_information(t, y, k=1, norm=norm) == pytest.approx(1, abs=0.001)
    assert label_information(t, y, k=3, norm=norm) == pytest.approx(0.5, abs=0.1)  # k̃ = 3: 1.3


# --- a slow twin ----------------------------------------------------------------------------------


def apart(points, norm):
    """(sample, sample) distances."""
    difference = np.abs(points[:, None] - points[None])
    return difference.max(axis=2) if norm == "max" else np.sqrt((difference**2).sum(axis=2))


def ball(distances, k):
    """How far it reaches, and whether that far is still inside."""
    radius = sorted(distances)[k]
    return (lambda d: d == 0) if radius == 0 else (lambda d: d < radius)


def twin_mutual_information(x, t, k, norm):
    of_x, of_t = apart(x, norm), apart(t, norm)
    n, total = len(x), 0
    for i in range(n):
        inside = ball(np.maximum(of_x[i], of_t[i]), k)
        pairs = sum(inside(a) and inside(b) for a, b in zip(of_x[i], of_t[i], strict=True))
        n_x, n_t = sum(map(inside, of_x[i])), sum(map(inside, of_t[i]))
        total += digamma(pairs) + digamma(n) - digamma(n_x) - digamma(n_t)
    return total / n / np.log(2)


def twin_label_information(t, y, k, norm):
    of_t = apart(t, norm)
    n, total = len(t), 0
    for i in range(n):
        inside = ball(of_t[i, y == y[i]], k)
        own, m = sum(map(inside, of_t[i, y == y[i]])), sum(map(inside, of_t[i]))
        total += digamma(own) + digamma(n) - digamma((y == y[i]).sum()) - digamma(m)
    return total / n / np.log(2)


@st.composite
def tied(draw):
    """x, t and y of 12 to 40 rows: steps of 1/4, ReLU's zeros, whole rows repeated, or a density.

    Steps are powers of two, so that equally far is equally far in floating point.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, columns = draw(st.integers(12, 40)), st.integers(1, 3)
    kinds = st.sampled_from(
        [
            lambda a: np.round(a * 4) / 4,
            lambda a: np.round(a),
            lambda a: np.maximum(a, 0),
            lambda a: a[rng.integers(0, n // 3, n)],
            lambda a: a,
        ]
    )
    x, t = (draw(kinds)(rng.normal(size=(n, draw(columns)))) for _ in "xt")
    if draw(st.booleans()):
        t[:, :1] = x[:, :1]
    return x, t, np.arange(n) % 2


@both_norms
@given(data=tied(), k=st.integers(1, 5))
def test_trees_count_what_the_full_matrix_holds(norm, data, k):
    x, t, y = data
    found = mutual_information(x, t, k, norm=norm)
    assert found == pytest.approx(twin_mutual_information(x, t, k, norm), abs=1e-10)
    found = label_information(t, y, k, norm=norm)
    assert found == pytest.approx(twin_label_information(t, y, k, norm), abs=1e-10)


@both_norms
@given(data=tied(), k=st.integers(1, 5), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_order_of_rows_and_of_variables_does_not_matter(norm, data, k, seed):
    x, t, y = data
    rows = np.random.default_rng(seed).permutation(len(x))
    found = mutual_information(x, t, k, norm=norm)
    assert mutual_information(x[rows], t[rows], k, norm=norm) == pytest.approx(found, abs=1e-10)
    assert mutual_information(t, x, k, norm=norm) == pytest.approx(found, abs=1e-10)
    found = label_information(t, y, k, norm=norm)
    assert label_information(t[rows], y[rows], k, norm=norm) == pytest.approx(found, abs=1e-10)


@both_norms
@given(data=tied(), k=st.integers(1, 5))
@settings(max_examples=30)
def test_labels_are_a_variable_whose_values_lie_far_apart(norm, data, k):
    """I(T;Y) = I(T; 10⁶ Y) in either function; the names of the labels do not matter."""
    _, t, y = data
    found = label_information(t, y, k, norm=norm)
    assert found == pytest.approx(mutual_information(t, 1e6 * y, k, norm=norm), abs=1e-10)
    names = np.array(["zebra", "ant"])[y]
    for labels in (names, names.astype(object), names.astype("S"), y == 1, (-(2**62)) * y):
        assert label_information(t, labels, k, norm=norm) == pytest.approx(found, abs=EXACT)


def test_pairs_are_measured_in_blocks(monkeypatch, rng):
    x, t = np.round(rng.normal(size=(2, 50, 2)), 1)
    whole = mutual_information(x, t, norm="euclidean")
    monkeypatch.setattr(neighbours, "_PAIRS_AT_ONCE", 170)
    assert mutual_information(x, t, norm="euclidean") == whole


# --- jitter, refusals -----------------------------------------------------------------------------


def test_duplicates_need_a_word(rng):
    t = np.repeat(rng.random((50, 2)), 4, axis=0)
    with pytest.raises(ValueError, match="200 of 200 rows equal their neighbours"):
        differential_entropy(t)
    small, tiny = differential_entropy(t, jitter=1e-3), differential_entropy(t, jitter=1e-9)
    assert small - tiny == pytest.approx(2 * np.log2(1e6), rel=0.1)  # the jitter sets the value
    # Stored entropies hang on these very numbers.
    moved = t + 1e-3 * np.random.default_rng(0).normal(size=t.shape)
    assert small == differential_entropy(moved)


def test_jitter_is_independent_of_the_other_variable_and_of_the_data(rng):
    """One noise for both would make two constants share log2 N bits; noise that is what a reader's
    default_rng(0) gives, too, would make a constant share bits with his data.
    """
    constant, t = np.zeros(2000), rng.normal(size=2000)
    assert mutual_information(constant, constant, jitter=1) == pytest.approx(0, abs=0.1)
    assert mutual_information(constant, t, jitter=1) == pytest.approx(0, abs=0.1)


LINE, COIN = np.arange(10.0), np.arange(10) % 2


class Locked:
    """Like a tensor of torch that still has its gradient."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("detach it first")


estimates = pytest.mark.parametrize(
    "estimate",
    [
        differential_entropy,
        lambda t, **settings: mutual_information(t, LINE, **settings),
        lambda t, **settings: mutual_information(LINE, t, **settings),
        lambda t, **settings: label_information(t, COIN, **settings),
    ],
    ids=["entropy", "x", "t", "label"],
)


@estimates
@pytest.mark.parametrize(
    ("t", "settings", "message"),
    [
        (LINE, {"k": 10}, r"more than k=10 samples and at least one unit; got shape \(10, 1\)"),
        (LINE, {"k": 0}, "k must be an integer of at least 1, got 0"),
        (LINE, {"k": 3.0}, "k must be an integer of at least 1, got 3.0"),
        (LINE, {"k": True}, "k must be an integer of at least 1, got True"),
        (LINE, {"k": "3"}, "k must be an integer of at least 1, got '3'"),
        (LINE, {"jitter": -1e-9}, "jitter must be a number from 0 to 1e[+]150, got -1e-09"),
        (LINE, {"jitter": np.nan}, "jitter must be a number from 0 to 1e[+]150, got nan"),
        (LINE, {"jitter": np.inf}, "jitter must be a number from 0 to 1e[+]150, got inf"),
        (LINE, {"jitter": True}, "jitter must be a number from 0 to 1e[+]150, got True"),
        (LINE, {"norm": "l2"}, "norm must be one of max, euclidean, got 'l2'"),
        (LINE, {"norm": ["max"]}, r"norm must be one of max, euclidean, got \['max'\]"),
        (np.zeros((10, 0)), {}, r"[xt] must be \(sample, unit\) .* got shape \(10, 0\)"),
        (np.zeros((10, 1, 1)), {}, r"[xt] must be \(sample, unit\) .* got shape \(10, 1, 1\)"),
        (3.0, {}, r"[xt] must be \(sample, unit\) .* got shape \(\)"),
        ([[1.0], [2.0, 3.0]] * 5, {}, "[xt] is no array of numbers or labels: .*inhomogeneous"),
        (["1"] * 10, {}, "[xt] must be real numbers, got dtype <U1"),
        (LINE + 1j, {}, "[xt] must be real numbers, got dtype complex128"),
        (LINE * np.nan, {}, "the values of [xt] must be finite; some are NaN or infinite"),
        (LINE - np.inf, {}, "the values of [xt] must be finite"),
        (np.full(10, np.finfo(np.longdouble).max), {}, "of [xt] (must be finite|is 1.8e[+]308)"),
        (Locked(), {}, "[xt] is no array of numbers or labels: detach it first"),
        (
            LINE * 1e200,
            {},
            "the largest value of [xt] is 9e[+]200; distances need it between 1e-150",
        ),
        (
            LINE * 1e-200,
            {},
            "the largest value of [xt] is 9e-200; distances need it between 1e-150",
        ),
        (np.arange(10) + 2**60, {}, "integers in [xt] beyond 2[*][*]53 would be rounded together"),
    ],
)
def test_refused(estimate, t, settings, message):
    with pytest.raises(ValueError, match=message):
        estimate(t, **settings)


def test_refused_pairs():
    with pytest.raises(ValueError, match="as many rows of x as of t, got 10 and 9"):
        mutual_information(np.zeros(10), np.zeros(9))
    for few in (2, 3):
        message = f"class 1 has {few} samples; k=3 needs 4: lower k, or leave the class out"
        with pytest.raises(ValueError, match=message):
            label_information(LINE, [0] * (10 - few) + [1] * few)
    for y in (COIN[:9], COIN[:, None], COIN + 0.5, [None] * 10, ["a", 1.5, None, 2, ()] * 2):
        with pytest.raises(
            ValueError, match=r"y (must be one integer or string label|is no array)"
        ):
            label_information(LINE, y)


def awkward():
    """Twelve rows of the right shape: ties, tiny differences, sizes near the limits; labels."""
    numbers = st.sampled_from([0, 1, 5e-324, 1e-160, 1e150, 1e308]) | st.floats(-2, 2, width=16)
    return (
        hnp.arrays(np.float64, st.sampled_from([(12,), (12, 2)]), elements=numbers)
        | hnp.arrays(np.int8, 12, elements=st.integers(-1, 1))
        | hnp.arrays("U1", 12, elements=st.sampled_from("ab"))
    )


def anything():
    """Arrays of any dtype and shape, and what is no array."""
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=12)
    dtypes = hnp.scalar_dtypes() | st.sampled_from([np.dtype(object), np.dtype(np.longdouble)])
    odd = st.sampled_from([np.uint8(1), 2.0, True, None, "1", "", [], [None], {}, np.nan, -1, 99])
    return hnp.arrays(dtypes, shapes) | st.lists(st.floats() | st.text(), max_size=12) | odd


@given(data=st.data(), strange=st.sampled_from(["nothing", "values", "k", "jitter", "norm"]))
def test_anything_gives_a_finite_number_or_a_reason(data, strange):
    """And no warning: the suite makes them errors."""
    values, k, jitter, norm = (
        data.draw(anything() if one == strange else usual)
        for one, usual in [
            ("values", awkward()),
            ("k", st.integers(1, 5)),
            ("jitter", st.sampled_from([0, 1e-300, 1e-9, 1])),
            ("norm", st.sampled_from(["max", "euclidean"])),
        ]
    )
    t = data.draw(awkward())
    for estimate in (
        lambda: differential_entropy(values, k, jitter, norm),
        lambda: mutual_information(values, t, k, jitter, norm),
        lambda: mutual_information(t, values, k, jitter, norm),
        lambda: label_information(values, np.arange(12) % 2, k, jitter, norm),
        lambda: label_information(t, values, k, jitter, norm),
    ):
        try:
            found = estimate()
        except ValueError:
            continue
        assert type(found) is float
        assert np.isfinite(found)
