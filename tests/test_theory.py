"""Closed forms, held against other closed forms, published tables and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from ibcore import theory
from ibcore.information import entropy
from ibcore.theory import (
    gaussian_ib_relevance,
    gaussian_information,
    linear_gaussian_information,
    single_neuron_information,
)

NAT = 1 / np.log(2)  # in bits
seeds = st.integers(0, 9999)


# --- one neuron -----------------------------------------------------------------------------

# n_bins: best weight, information there, and at weights 0.01, 1, 10, 100, 1000 (bits).
TANH = {
    10: (0.845118, 3.320004, (1.0000, 3.293222, 1.598064, 1.089527, 1.011870)),
    29: (0.868507, 4.851044, (0.0074, 4.828184, 2.029582, 1.148655, 1.019294)),
    30: (0.868968, 4.899788, (1.0000, 4.877066, 2.044173, 1.150617, 1.019537)),
    31: (0.869399, 4.946935, (0.0151, 4.924344, 2.058338, 1.152519, 1.019772)),
    100: (0.876233, 6.632199, (1.2675, 6.612384, 2.598960, 1.224071, 1.028520)),
    1000: (0.874619, 9.952122, (4.3713, 9.932280, 3.861233, 1.386707, 1.047879)),
}


def neuron_by_quadrature(weight, activation, edges):
    """H of the bins of f(wX) by counting a fine grid of X: the slow twin."""
    x = np.linspace(-10, 10, 2_000_001)
    t = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "linear": lambda a: a}
    codes = np.searchsorted(edges, t[activation](weight * x), side="right")
    mass = np.bincount(codes, weights=norm.pdf(x))
    return entropy(mass / mass.sum())


@pytest.mark.parametrize("n_bins", TANH)
def test_tanh_neuron_meets_the_table(n_bins):
    """Information at five weights, and the weight at which it peaks, to the digits stated."""
    best, peak, values = TANH[n_bins]
    for weight, value in zip((0.01, 1, 10, 100, 1000), values, strict=True):
        tolerance = 6e-5 if weight == 0.01 else 6e-7
        assert single_neuron_information(weight, n_bins) == pytest.approx(value, abs=tolerance)
    found = minimize_scalar(
        lambda w: -single_neuron_information(w, n_bins), bounds=(0.5, 1.5), options={"xatol": 1e-9}
    )
    assert found.x == pytest.approx(best, abs=2e-6)
    assert -found.fun == pytest.approx(peak, abs=6e-7)


@pytest.mark.parametrize(
    ("activation", "weight", "value"),
    [
        ("relu", 1, 3.325267),
        ("relu", 2, 3.888017),
        ("relu", 5, 4.595384),
        ("relu", 10, 5.114019),
        ("relu", 20, 5.624661),
        ("linear", 1, 5.954253),
        ("linear", 10, 9.275917),
    ],
)
def test_relu_and_linear_neurons_meet_the_table(activation, weight, value):
    """Bins of width 1/15 with an edge at 0, to the digits stated."""
    found = single_neuron_information(weight, activation=activation, width=1 / 15)
    assert found == pytest.approx(value, abs=6e-7)


@pytest.mark.parametrize(("activation", "reach"), [("tanh", 1), ("relu", 30), ("linear", 30)])
def test_neuron_agrees_with_counting_a_fine_grid(activation, reach):
    """Same entropy as from two million values of X, to the width of that grid."""
    j = np.arange(-np.ceil(reach / 0.07), np.ceil(reach / 0.07) + 1)
    edges = j * 0.07 if activation != "relu" else j[j > 0] * 0.07
    found = single_neuron_information(2.0, activation=activation, width=0.07)
    assert found == pytest.approx(neuron_by_quadrature(2.0, activation, edges), abs=1e-4)


def test_equal_bins_and_bins_of_that_width_are_the_same_ruler():
    """30 bins on [-1, 1] have width 1/15 and an edge at 0."""
    by_width = single_neuron_information(3.0, width=1 / 15)
    assert by_width == pytest.approx(single_neuron_information(3.0, n_bins=30), abs=1e-12)


@pytest.mark.parametrize("scale", [2.0, 7.0, 0.01])
def test_linear_neuron_depends_on_weight_over_width_only(scale):
    """I(c w; c delta) = I(w; delta), and ReLU likewise."""
    for activation in ("linear", "relu"):
        one = single_neuron_information(3.0, activation=activation, width=0.1)
        other = single_neuron_information(-3.0 * scale, activation=activation, width=0.1 * scale)
        assert other == pytest.approx(one, abs=1e-9)


def test_fine_bins_approach_the_differential_entropy():
    """I -> 1/2 log2(2 pi e w^2) - log2 delta; for ReLU, a coin for the sign and half of that."""
    whole = 0.5 * np.log2(2 * np.pi * np.e * 50**2) + np.log2(100)
    linear = single_neuron_information(50.0, activation="linear", width=0.01)
    assert linear == pytest.approx(whole, abs=1e-6)
    # x <= 0 and the first bin share a symbol, which costs less than the bin's share of h2.
    relu = single_neuron_information(50.0, activation="relu", width=0.01)
    assert relu == pytest.approx(1 + (whole - 1) / 2, abs=2e-3)


def test_limits_of_the_weight():
    """w = 0 says nothing; w -> 0 says the sign if an edge is at 0; w -> inf leaves one bit."""
    assert single_neuron_information(0.0, 30) == 0.0
    assert single_neuron_information(1e-12, 30) == pytest.approx(1.0, abs=1e-9)
    assert single_neuron_information(1e-12, 31) == 0.0
    assert single_neuron_information(1e12, 30) == pytest.approx(1.0, abs=1e-9)
    assert single_neuron_information(1.0, 1) == 0.0


@given(st.floats(1e-6, 1e6), st.integers(1, 200))
def test_neuron_stays_below_the_log_of_its_bins(weight, n_bins):
    """0 <= I <= log2 n_bins, for any weight and its negative."""
    found = single_neuron_information(weight, n_bins)
    assert 0 <= found <= np.log2(n_bins) + 1e-9
    assert single_neuron_information(-weight, n_bins) == found


# --- Gaussian -------------------------------------------------------------------------------


def test_linear_layer_meets_the_worked_example():
    """W = [[1, 2], [.5, -1]], X ~ N(0, I/2), noise 1: 0.8170652625122 nats."""
    weight = np.array([[1, 2], [0.5, -1]]).T  # the example has a unit per row
    found = linear_gaussian_information(weight, np.eye(2) / 2, 1.0)
    assert found == pytest.approx(0.8170652625122 * NAT, abs=1e-12)


def test_gaussian_information_meets_the_worked_example():
    """The same network and a teacher [1, 1] with noise .5: I(T;Y), I(X;Y) and again I(X;T)."""
    w, teacher = np.array([[1, 2], [0.5, -1]]), np.array([[1.0, 1.0]])
    student = joint(np.vstack([w, teacher]), np.diag([1, 1, 0.5]))
    assert gaussian_information(student, 2) == pytest.approx(0.5 * np.log2(123 / 70), abs=1e-12)
    data = joint(np.vstack([np.eye(2), teacher]), np.diag([0, 0, 0.5]))
    assert gaussian_information(data, 2) == pytest.approx(0.5493061443341 * NAT, abs=1e-12)
    layer = joint(np.vstack([np.eye(2), w]), np.diag([0, 0, 1, 1]))
    assert gaussian_information(layer, 2) == pytest.approx(0.8170652625122 * NAT, abs=1e-12)


def joint(rows, noise):
    """Covariance of A X + noise with X ~ N(0, I/2)."""
    return rows @ rows.T / 2 + noise


@pytest.mark.parametrize("snr", [1e-12, 1.0, 3.0, 1e12])
def test_one_unit_is_shannons_channel(snr):
    """I = 1/2 log2(1 + SNR), Shannon's formula."""
    found = linear_gaussian_information([[1.0]], [[snr]], 1.0)
    assert found == pytest.approx(0.5 * np.log1p(snr) * NAT, rel=1e-12)


def test_repeated_units_add_their_signal():
    """n equal units of SNR s are one of SNR n s, also where s drowns the 1 of I + signal."""
    found = linear_gaussian_information([[1.0, 1.0]], [[1e18]], 1.0)
    assert found == pytest.approx(0.5 * np.log2(2e18), abs=1e-9)


@given(seeds)
def test_linear_layer_is_gaussian_information_of_input_and_output(seed):
    """I(X;T) from the gains equals I(X;T) from the joint covariance; rotations change nothing."""
    rng = np.random.default_rng(seed)
    weight, root = rng.normal(size=(3, 2)), rng.normal(size=(3, 3))
    sigma, noise = root @ root.T + 0.1 * np.eye(3), rng.uniform(0.1, 2)
    across = sigma @ weight
    whole = np.block([[sigma, across], [across.T, weight.T @ across + noise * np.eye(2)]])
    found = linear_gaussian_information(weight, sigma, noise)
    assert found == pytest.approx(gaussian_information(whole, 3), abs=1e-8)
    turn, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    turned = linear_gaussian_information(weight @ turn, sigma, noise)
    assert turned == pytest.approx(found, abs=1e-10)


def test_information_of_a_linear_layer_grows_with_its_weights():
    """Not invariant to scale: doubled weights at the same noise say more."""
    small = linear_gaussian_information([[1.0], [2.0]], np.eye(2), 1.0)
    assert linear_gaussian_information([[2.0], [4.0]], np.eye(2), 1.0) > small + 0.5


@pytest.mark.parametrize(
    ("nats", "expected"),
    [(0.5, 0.25922494), (1.0, 0.40302965), (2.0, 0.49480450), (np.inf, 0.510826)],
)
def test_gaussian_bottleneck_meets_the_table(nats, expected):
    """Correlation .8, values in nats."""
    found = gaussian_ib_relevance(nats * NAT, 0.8)
    assert found / NAT == pytest.approx(expected, abs=6e-7 if nats == np.inf else 6e-9)


def test_gaussian_bottleneck_is_reached_by_adding_noise():
    """T = X + noise lies on the curve: both sides follow from the joint covariance."""
    rho, noise = 0.7, 0.3
    complexity = gaussian_information([[1, 1], [1, 1 + noise]], 1)
    relevance = gaussian_information([[1 + noise, rho], [rho, 1]], 1)
    assert gaussian_ib_relevance(complexity, rho) == pytest.approx(relevance, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: single_neuron_information(1.0), "give either n_bins or width, got n_bins=None"),
        (lambda: single_neuron_information(1.0, 30, width=0.1), "give either n_bins or width"),
        (lambda: single_neuron_information(1.0, 30, "relu"), "which relu leaves; give width="),
        (lambda: single_neuron_information(1.0, 30, "swish"), "must be tanh, relu or linear"),
        (lambda: single_neuron_information(np.inf, 30), "weight must be finite, got inf"),
        (lambda: single_neuron_information(1.0, 0), "whole number of at least 1, got 0"),
        (lambda: single_neuron_information(1.0, 2.5), "whole number of at least 1, got 2.5"),
        (lambda: single_neuron_information(1.0, width=0.0), "width must be positive"),
        (lambda: single_neuron_information(1e9, None, "relu", 0.1), "take wider bins"),
        (lambda: linear_gaussian_information([[1]], [[1]], 0.0), "must be positive, got 0.0"),
        (lambda: linear_gaussian_information([[1, 2]], np.eye(2), 1.0), "fan_in = 2 .* transpose"),
        (lambda: linear_gaussian_information([[1], [1]], [[1, 2], [0, 1]], 1.0), "asymmetry is 2"),
        (lambda: linear_gaussian_information([[1]], [[-1]], 1.0), "smallest eigenvalue is -1"),
        (lambda: gaussian_information([[1, 2, 3]], 1), "square matrix"),
        (lambda: gaussian_information(np.eye(2), 2), r"must lie in 1\.\.1, got 2"),
        (lambda: gaussian_information(np.ones((2, 2)), 1), "covariance is singular"),
        (lambda: gaussian_ib_relevance(1.0, 1.5), "correlation must lie in .-1, 1., got 1.5"),
    ],
)
def test_refusals_say_what_was_expected_and_what_came(call, message):
    """Every refusal is a ValueError with its reason."""
    with pytest.raises(ValueError, match=message):
        call()


def test_a_learning_neuron_descends_its_expected_loss():
    """One step is the gradient of E (T - Y)^2, taken by quadrature over the noise."""
    x, y = np.array([-2.0, 0.5, 1.0]), np.array([-1.0, 1.0, 1.0])
    z, p = np.polynomial.hermite_e.hermegauss(20)

    def loss(w, b):
        t = np.tanh(w * x + b)[:, None] + 0.3 * z
        return float((((t - y[:, None]) ** 2) @ p / p.sum()).mean())

    path = theory.learning_neuron(x, y, noise_std=0.3, learning_rate=0.1, n_steps=1, weight=0.4)
    h = 1e-5
    slope_w = (loss(0.4 + h, 0) - loss(0.4 - h, 0)) / (2 * h)
    slope_b = (loss(0.4, h) - loss(0.4, -h)) / (2 * h)
    assert path.weight[1] == pytest.approx(0.4 - 0.1 * slope_w, abs=1e-8)
    assert path.bias[1] == pytest.approx(-0.1 * slope_b, abs=1e-8)
    expected = theory.mixture_information(np.tanh(0.4 * x) / 0.3)
    assert path.information[0] == pytest.approx(expected, abs=1e-12)


def test_a_learning_neuron_refuses_nonsense():
    with pytest.raises(ValueError, match="of one length"):
        theory.learning_neuron([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="noise_std and learning_rate must be positive"):
        theory.learning_neuron(noise_std=0.0)
