"""Quantiles, dropout, slices, probes, contrast and matrix entropy, each against its own answer."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from known_rulers import layer, seeds, small_layer
from scipy.integrate import quad
from scipy.stats import norm

import ibcore as ib
from ibcore.estimators.spectral import matrix_entropy
from ibcore.information import binary_entropy, entropy, mutual_information
from ibcore.theory import gaussian_information
from ibcore.theory.known import paired

few = settings(max_examples=20, deadline=None)

# ------------------------------------------------------------------------------------------- bins


@few
@given(seed=seeds)
def test_quantiles_are_counts_of_edges(seed):
    """The twin: edges s[⌊jN/K⌋] of each sorted unit, counted one by one."""
    t, _ = layer(seed)
    n_bins = 1 + seed % 9
    codes = ib.QuantileBinning(n_bins).codes(t)
    for unit, found in zip(t.T, codes.T, strict=True):
        edges = np.sort(unit)[[j * len(unit) // n_bins for j in range(1, n_bins)]]
        assert found.tolist() == [int((edges <= value).sum()) for value in unit]


@few
@given(seed=seeds)
def test_quantiles_do_not_see_increasing_functions_of_units(seed):
    t, y = layer(seed)
    bent = np.exp(t.astype(float) * np.arange(1, t.shape[1] + 1))
    assert ib.QuantileBinning(5)(bent, y) == ib.QuantileBinning(5)(t.astype(float), y)


def test_a_unit_without_ties_has_bins_of_equal_samples():
    t = np.random.default_rng(0).normal(size=(120, 1))
    assert np.bincount(ib.QuantileBinning(8).codes(t)[:, 0]).tolist() == [15] * 8
    assert ib.QuantileBinning(8)(t, np.arange(120) % 2).i_xt == pytest.approx(3)


@few
@given(seed=seeds)
def test_bins_of_a_range_are_counts_of_edges(seed):
    """The twin: numpy's edges between the ends of each unit, away from rounding."""
    rng = np.random.default_rng(seed)
    t = rng.random((50, 3)) * [1e-3, 1, 1e3] + [0, 5, -7]
    codes = ib.UnitRangeBinning(7).codes(t)
    for unit, found in zip(t.T, codes.T, strict=True):
        edges = np.linspace(unit.min(), unit.max(), 8)[1:-1]
        assert found.tolist() == np.searchsorted(edges, unit, side="right").tolist()
    assert (ib.UnitRangeBinning(7).codes(4 * t) == codes).all()


# ---------------------------------------------------------------------------------------- dropout


def every_mask(t, y, p):
    """I(X;T') and I(T';Y) from a dictionary of all (mask, row)."""
    joint = {}
    for x, (row, label) in enumerate(zip(t, y, strict=True)):
        for mask in itertools.product([0, 1], repeat=t.shape[1]):
            weight = np.prod([1 - p if one else p for one in mask]) / len(t)
            key = tuple(np.where(mask, row, 0.0) + 0.0)
            joint[key, x, label] = joint.get((key, x, label), 0) + weight
    symbols = {key: k for k, key in enumerate(dict.fromkeys(key for key, _, _ in joint))}
    of_x, of_y = np.zeros((len(symbols), len(t))), np.zeros((len(symbols), y.max() + 1))
    for (key, x, label), weight in joint.items():
        of_x[symbols[key], x] += weight
        of_y[symbols[key], label] += weight
    return mutual_information(of_x), mutual_information(of_y)


@few
@given(seed=seeds)
def test_dropout_is_that_of_the_full_table(seed):
    rng = np.random.default_rng(seed)
    t = rng.choice([-1.0, 0.0, 0.5, 2.0], (12, rng.integers(1, 5)))
    y, p = rng.integers(0, 3, 12), rng.uniform(0.1, 0.9)
    assert ib.BernoulliDropout(p)(t, y) == pytest.approx(every_mask(t, y, p), abs=1e-9)


def test_dropout_of_bits_is_the_erasure_channel():
    """d bits, each erased with probability p: d (1 - p)."""
    t = np.array(list(itertools.product([-1.0, 1.0], repeat=4)))
    found = ib.BernoulliDropout(0.3)(t, (t[:, 0] > 0).astype(int))
    assert found == pytest.approx((4 * 0.7, 0.7))


def test_known_masks_are_an_upper_bound_and_tight_without_zeros():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 60)
    t = rng.choice([-1.0, 1.0, 2.0], (60, 5))
    exact, bound = ib.BernoulliDropout(0.5)(t, y), ib.BernoulliDropout(0.5, n_masks=4000)(t, y)
    assert bound == pytest.approx(exact, abs=0.05)
    assert bound.i_ty <= 1
    t[:, :3] *= rng.integers(0, 2, (60, 3))
    exact, bound = ib.BernoulliDropout(0.5)(t, y), ib.BernoulliDropout(0.5, n_masks=4000)(t, y)
    assert bound.i_xt > exact.i_xt + 0.1


def product_noise(t, alpha):
    """I(X;T(1+√α ε)) of one unit by quadrature, values that are not 0."""
    scale = np.sqrt(alpha) * np.abs(t)

    def integrand(value):
        p = norm.pdf(value, t, scale)
        mean = p.mean()
        return float(np.mean(p * np.log2(np.maximum(p, 1e-300) / mean))) if mean > 0 else 0.0

    points = np.sort(np.concatenate([t - 9 * scale, t, t + 9 * scale]))
    return sum(quad(integrand, a, b)[0] for a, b in itertools.pairwise(points) if b > a)


@pytest.mark.parametrize("alpha", [0.05, 0.5, 2.0])
def test_bounds_of_multiplied_noise_hold_the_truth(alpha):
    t, y = np.array([0.5, 1.0, -1.0, 3.0]), [0, 0, 1, 1]
    low, high = (ib.GaussianDropout(alpha, b)(t[:, None], y).i_xt for b in ("lower", "upper"))
    assert low < product_noise(t, alpha) < high


@few
@given(seed=seeds)
def test_distances_are_sums_of_the_formulas(seed):
    """The twin: unit by unit, pair by pair, as the class prints them."""
    rng = np.random.default_rng(seed)
    t = rng.choice([-2.0, -0.5, 0.0, 0.1, 1.0, 1.5], (6, rng.integers(1, 4)))
    alpha = rng.choice([0.01, 0.5, 3.0])

    def kl(a, b):
        r = a / b
        return -np.log(abs(r)) + (r**2 + (r - 1) ** 2 / alpha - 1) / 2

    def bhattacharyya(a, b):
        squares = a**2 + b**2
        return (a - b) ** 2 / (4 * alpha * squares) + np.log(squares / 2 / abs(a * b)) / 2

    for bound, formula in (("upper", kl), ("lower", bhattacharyya)):
        expected = [
            [
                sum(
                    0.0 if a == b == 0 else np.inf if a == 0 or b == 0 else formula(a, b)
                    for a, b in zip(one, other, strict=True)
                )
                for other in t
            ]
            for one in t
        ]
        found = ib.GaussianDropout(alpha, bound).distances(t, t)
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_what_is_zero_is_told_for_certain():
    """Units at 0 have no noise: silent and active inputs share no value."""
    t, y = np.array([[0.0], [0.0], [1.0], [1.0]]), [0, 0, 1, 1]
    for bound in ("lower", "upper"):
        assert ib.GaussianDropout(5.0, bound)(t, y) == pytest.approx((1, 1))


@few
@given(seed=seeds)
def test_multiplied_noise_does_not_see_units(seed):
    t, y = small_layer(seed)
    scale = np.logspace(-3, 3, t.shape[1])
    for bound in ("lower", "upper"):
        ruler = ib.GaussianDropout(0.3, bound)
        assert ruler(t.astype(float) * scale, y) == pytest.approx(ruler(t, y), abs=1e-6)


# ------------------------------------------------------------------------------ slices and contrast


def test_slices_are_those_of_the_gaussian_formula():
    """⟨-½ log2(1 - ρ²)⟩ over the very directions that are measured."""
    sigma = paired(3)
    z = np.random.default_rng(0).normal(size=(3000, 6)) @ np.linalg.cholesky(sigma).T
    sliced = ib.SlicedInformation(n_slices=60)
    a, b = sliced.directions(3, "data"), sliced.directions(3, "init")
    rho = np.einsum("si,ij,sj->s", a, sigma[:3, 3:], b)
    expected = np.mean(-np.log2(1 - rho**2) / 2)
    assert sliced.of_pair(z[:, :3], z[:, 3:]) == pytest.approx(expected, abs=0.02)
    assert expected < gaussian_information(sigma, 3)


def test_slices_of_a_run_see_its_inputs():
    with pytest.raises(ValueError, match="looks at the inputs too"):
        ib.SlicedInformation()([[0.0], [1.0]], [0, 1])
    trained = ib.train(
        ib.Experiment(task="szt", n_seeds=1, n_epochs=2, n_measured_epochs=2),
        threads=1, progress=False,
    )  # fmt: skip
    assert isinstance(ib.SlicedInformation().prepare(trained).parts()[0], ib.SlicedInformation)


def test_contrast_is_below_the_truth_and_near_it():
    """½ log2(1 + 3) = 1 bit, and below the ceiling log2 K of small batches."""
    x = np.sqrt(3) * np.random.default_rng(0).normal(size=(4000, 1))
    found = ib.InfoNCE(noise_variance=1.0, n_steps=300)(x, (x[:, 0] > 0).astype(int))
    assert 0.85 < found.i_xt < 1.07
    assert 0.3 < found.i_ty < 0.8
    small = ib.InfoNCE(noise_variance=1e-4, n_steps=150, batch_size=4)
    assert small(x, np.arange(4000) % 2).i_xt < small.most_bits(4000) == 2


def test_contrast_of_nothing_is_nothing_and_repeats_itself():
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(2, 400, 20))
    found = ib.InfoNCE(n_steps=60).of_pair(x, t)
    assert abs(found) < 0.3
    assert ib.InfoNCE(n_steps=60).of_pair(x, t) == found


def test_contrast_leaves_the_random_numbers_of_torch_alone():
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    ib.InfoNCE(n_steps=1)(np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2)
    assert (torch.rand(3) == expected).all()


# ----------------------------------------------------------------------------- called otherwise


@few
@given(seed=seeds)
def test_squares_are_eigenvalues(seed):
    """The twin: S_2 from the eigenvalues, and orders next to each other."""
    t, _ = small_layer(seed)
    kernel = ib.MatrixRenyi().kernel(t.astype(float))
    values = np.clip(np.linalg.eigvalsh(kernel / len(t)), 0, None)
    assert matrix_entropy(kernel, 2.0) == pytest.approx(-np.log2(np.sum(values**2)), abs=1e-9)
    assert matrix_entropy(kernel, 2.0000001) == pytest.approx(matrix_entropy(kernel, 2.0), abs=1e-5)


def test_far_apart_a_matrix_counts():
    """A narrow kernel leaves the Rényi entropy of equal rows: of order 2, -log2 Σ p²."""
    t = np.repeat([[0.0], [1.0], [2.0]], [5, 3, 2], axis=0)
    found = ib.MatrixRenyi(alpha=2.0, width=1e-3)(t, np.repeat([0, 1, 1], [5, 3, 2]))
    assert found.i_xt == pytest.approx(-np.log2(0.25 + 0.09 + 0.04))
    shannon = ib.MatrixRenyi(alpha=1.0001, width=1e-3)(t, np.zeros(10, int)).i_xt
    assert shannon == pytest.approx(entropy([0.5, 0.3, 0.2]), abs=1e-3)


def test_what_a_probe_reads_of_clouds():
    """Two clouds at ±1: the best probe is the logistic one, I_V = I = 0.4859 bit."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 8000)
    t = rng.normal(size=(8000, 1)) + (2 * y - 1)[:, None]
    linear = ib.UsableInformation()(t, y)
    assert linear.i_ty == pytest.approx(0.4859, abs=0.03)
    assert linear.i_xt == pytest.approx(1, abs=0.01)


def test_a_linear_probe_cannot_read_a_parity():
    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, (1500, 2))
    y = (t[:, 0] * t[:, 1] > 0).astype(int)
    assert abs(ib.UsableInformation()(t, y).i_ty) < 0.05
    assert ib.UsableInformation(probe="mlp", penalty=1e-4)(t, y).i_ty > 0.5
    assert ib.UsableInformation()(t, np.zeros(1500, int)) == (0.0, 0.0)


def test_no_other_name_says_mutual_information():
    """What is none is not called so at its axis."""
    for ruler in (ib.MatrixRenyi(), ib.UsableInformation(), ib.SlicedInformation()):
        assert not ruler.measures.startswith("I(")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ib.BernoulliDropout(1.0), "rate must be positive and below 1"),
        (lambda: ib.BernoulliDropout(0.5, ib.AdaptiveBinning()), "whose bins stand still"),
        (lambda: ib.BernoulliDropout()(np.eye(40), [0, 1] * 20), "give n_masks=100"),
        (lambda: ib.BernoulliDropout()([[0.0], [1.0]], [0]), "one label for each of the 2"),
        (lambda: ib.GaussianDropout()([[0.0], [1.0]], [0]), "one label for each of the 2"),
        (lambda: ib.GaussianDropout(bound="middle"), "bound must be one of upper, lower"),
        (lambda: ib.MatrixRenyi(alpha=1.0), "alpha must not be 1"),
        (lambda: ib.MatrixRenyi()(np.zeros((5001, 1)), [0] * 5001), "OnSomeRows"),
        (lambda: ib.MatrixRenyi()([[0.0], [1.0]], [0.5, 0.5]), "compares classes"),
        (lambda: ib.UsableInformation()([[0.0], [1.0]], [0.5, 0.5]), "a probe names classes"),
        (lambda: ib.UsableInformation()([[0.0], [1.0]], [0, 1]), "no class has two samples"),
        (lambda: ib.InfoNCE()([[0.0], [1.0]], [0, 1]), "half the samples train"),
        (lambda: ib.InfoNCE()(np.zeros((5, 1)), [0, 1]), "one label for each of 5"),
        (lambda: ib.InfoNCE().of_pair(np.zeros((5, 1)), np.zeros((4, 1))), "as many rows of x"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_noise_of_one_unit_is_a_binary_erasure_of_what_bins_tell():
    """With bins that hold 0 a small value that survives looks like one that was dropped."""
    t, y = np.array([[0.01], [0.9]]), [0, 1]
    found = ib.BernoulliDropout(0.25, ib.Binning(width=0.5))(t, y).i_xt
    p = np.array([[1.0, 0.0], [0.25, 0.75]]) / 2
    assert found == pytest.approx(mutual_information(p))
    assert found < float(binary_entropy(0.5))
