"""The bottleneck of Gaussian vectors, the first β, and how many levels noise keeps apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibcore.estimators.propagation import levels_apart
from ibcore.theory import (
    canonical_correlations,
    critical_beta,
    gaussian_ib_curve,
    gaussian_ib_relevance,
    gaussian_information,
    ib_curve,
)

seeds = st.integers(0, 9999)


@given(seeds)
def test_canonical_correlations_are_eigenvalues(seed):
    """1 - ρ² of Σ_{A|B} Σ_A⁻¹, and the information of all pairs added up."""
    root = np.random.default_rng(seed).normal(size=(5, 8))
    sigma = root @ root.T
    a, b, across = sigma[:3, :3], sigma[3:, 3:], sigma[:3, 3:]
    given_b = a - across @ np.linalg.solve(b, across.T)
    values = np.sort(np.linalg.eigvals(given_b @ np.linalg.inv(a)).real)
    rho = canonical_correlations(sigma, 3)
    np.testing.assert_allclose(1 - rho**2, values[:2], atol=1e-8)
    assert values[2] == pytest.approx(1)
    expected = gaussian_information(sigma, 3)
    assert -0.5 * np.log2(1 - rho**2).sum() == pytest.approx(expected, abs=1e-8)


def test_one_direction_is_the_scalar_curve():
    """At every β and every R; at β -> inf all of I(X;Y)."""
    r = np.array([0.0, 0.1, 1.0, 5.0, np.inf])
    scalar = gaussian_ib_relevance(r, 0.8)
    np.testing.assert_allclose(gaussian_ib_relevance(r, [0.8]), scalar, atol=1e-12)
    curve = gaussian_ib_curve([0.8], [0.5, 1.5, 1.6, 3.0, 1e12])
    expected = gaussian_ib_relevance(curve.complexity, 0.8)
    np.testing.assert_allclose(curve.relevance, expected, atol=1e-12)
    assert (curve.complexity[:2] == 0).all()
    assert curve.relevance[-1] == pytest.approx(curve.information)


@given(seeds)
def test_prices_and_complexities_give_one_curve(seed):
    """Both forms give the same points; slope 1 / β, up to I(X;Y); a direction of 0 adds nothing."""
    rho = np.random.default_rng(seed).uniform(-0.99, 0.99, 4)
    curve = gaussian_ib_curve(rho, np.geomspace(1, 1e4, 60))
    r, i = curve.complexity.values, curve.relevance.values
    np.testing.assert_allclose(gaussian_ib_relevance(r, [*rho[::-1], 0.0]), i, atol=1e-9)
    moving = np.diff(r) > 1e-6
    slope, betas = np.diff(i)[moving] / np.diff(r)[moving], curve.beta.values
    assert (slope <= 1 / betas[:-1][moving] + 1e-6).all()
    assert (slope >= 1 / betas[1:][moving] - 1e-6).all()
    assert gaussian_ib_relevance(np.inf, rho) == pytest.approx(curve.information)


@given(seeds)
def test_no_linear_encoder_does_better(seed):
    """T = WᵀX + noise for any W has at most the curve's I(T;Y) at its own I(X;T)."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 6))
    joint, weight = root @ root.T, rng.normal(size=(2, 2))
    s_t = weight.T @ joint[:2, :2] @ weight + np.eye(2)
    s_tx, s_ty = weight.T @ joint[:2, :2], weight.T @ joint[:2, 2:]
    of_x = gaussian_information(np.block([[s_t, s_tx], [s_tx.T, joint[:2, :2]]]), 2)
    of_y = gaussian_information(np.block([[s_t, s_ty], [s_ty.T, joint[2:, 2:]]]), 2)
    assert of_y <= gaussian_ib_relevance(of_x, canonical_correlations(joint, 2)) + 1e-9


@pytest.mark.parametrize("eps", [0.01, 0.1, 0.3])
def test_critical_beta_of_a_flipped_bit(eps):
    """1 / (1 - 2 eps)^2; the curve stays at the origin below and leaves it above."""
    table = np.array([[1 - eps, eps], [eps, 1 - eps]]) / 2
    beta = 1 / (1 - 2 * eps) ** 2
    assert critical_beta(table) == pytest.approx(beta)
    curve = ib_curve(table, [0.95 * beta, 1.05 * beta])
    assert (curve.complexity.values > 1e-6).tolist() == [False, True]


def test_critical_beta_at_the_ends():
    """1 for labels that are a function of x, infinite for independence."""
    assert critical_beta(np.diag([0.2, 0.3, 0.5])) == pytest.approx(1)
    assert critical_beta(np.outer([0.2, 0.8], [0.3, 0.7])) == np.inf
    assert critical_beta([[1.0, 0.0]]) == np.inf


def test_levels_apart_meet_the_table():
    """ε = .01 and σ = .1: k* = 3 up to 11 units."""
    assert [levels_apart(d, 0.1) for d in range(1, 13)] == [3] * 11 + [2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_ib_relevance(1.0, [0.5, 1.0]), "between -1 and 1"),
        (lambda: gaussian_ib_curve([0.0], [1.0]), "all correlations are 0"),
        (lambda: gaussian_ib_curve([0.5], [-1.0]), "finite numbers, none negative"),
        (lambda: canonical_correlations(np.eye(2), 2), r"must lie in 1\.\.1, got 2"),
    ],
)
def test_refusals_say_what_was_expected_and_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
