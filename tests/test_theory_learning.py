"""Linear students and teachers: golden numbers, theorems, and simulation."""

import numpy as np
import pytest

from ibcore import theory

W, TEACHER = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0, 1.0]])
NATS = np.log(2)


def test_golden_example():
    """W̄ = [[1, 2], [0.5, -1]], N = 2, σ² = 1, teacher [1, 1] with σ_o² = 0.5, in nats."""
    i_xt, i_ty = theory.student_information(W, TEACHER, 1.0, 0.5)
    assert i_xt * NATS == pytest.approx(0.8170652625122, abs=1e-12)
    assert i_ty == pytest.approx(0.5 * np.log2(123 / 70), abs=1e-12)
    assert theory.student_information(TEACHER, TEACHER, 0.5, 0.5)[0] * NATS == pytest.approx(
        0.5493061443341, abs=1e-12
    )


def test_it_is_the_general_formula_for_gaussians():
    """Joint covariance of (T, Y), and the linear layer of theory.gaussian."""
    rng = np.random.default_rng(0)
    w, o = rng.normal(size=(3, 5)), rng.normal(size=(2, 5))
    i_xt, i_ty = theory.student_information(w, o, 0.3, 0.7)
    assert i_xt == pytest.approx(theory.linear_gaussian_information(w.T, np.eye(5) / 5, 0.3))
    both = np.concatenate([w, o])
    joint = both @ both.T / 5 + np.diag([0.3] * 3 + [0.7] * 2)
    assert i_ty == pytest.approx(theory.gaussian_information(joint, 3))


def test_the_layer_knows_no_more_than_there_is():
    """I(T;Y) <= I(X;T) and <= I(X;Y); rotating hidden units changes nothing."""
    rng = np.random.default_rng(1)
    w, o = rng.normal(size=(4, 6)), rng.normal(size=(1, 6))
    i_xt, i_ty = theory.student_information(w, o, 0.5, 0.5)
    assert i_ty <= min(i_xt, theory.student_information(o, o, 0.5, 0.5)[0])
    q, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    assert theory.student_information(q @ w, o, 0.5, 0.5) == pytest.approx((i_xt, i_ty))


def test_same_function_other_information():
    """Equation 21 of Saxe et al.: scaling a layer by 1/c changes its I(X;T)."""
    one = theory.student_information(W, TEACHER, 1.0, 0.5)[0]
    assert theory.student_information(W / 3, TEACHER, 1.0, 0.5)[0] < one - 0.1


def test_chain_rule_over_inputs():
    rng = np.random.default_rng(2)
    w = rng.normal(size=(3, 10))
    chosen = np.arange(10) < 3
    of_chosen, of_rest = theory.input_information(w, chosen, 0.4)
    whole = theory.student_information(w, np.ones((1, 10)), 0.4, 1.0)[0]
    assert of_chosen + of_rest == pytest.approx(whole)
    assert min(of_chosen, of_rest) > 0
    assert theory.input_information(w, np.ones(10, bool), 0.4) == pytest.approx((whole, 0))


def test_error_against_fresh_data():
    """100 000 fresh samples, within four standard errors."""
    rng = np.random.default_rng(3)
    o, w = rng.normal(size=(1, 8)), rng.normal(size=(1, 8))
    x = rng.normal(size=(100_000, 8)) / np.sqrt(8)
    y = x @ o.T + np.sqrt(0.3) * rng.normal(size=(100_000, 1))
    square = ((y - x @ w.T) ** 2).sum(axis=1)
    error = 4 * square.std() / np.sqrt(len(square))
    assert theory.generalisation_error(w, o, 0.3) == pytest.approx(square.mean(), abs=error)


def test_closed_form_is_gradient_descent():
    """Step by step, also with fewer samples than inputs, where the covariance is singular."""
    rng = np.random.default_rng(4)
    o = rng.normal(size=(2, 6))
    for n in (4, 40):
        x = rng.normal(size=(n, 6))
        y = x @ o.T + 0.1 * rng.normal(size=(n, 2))
        w, walked = np.zeros((2, 6)), []
        for _ in range(31):
            walked.append(w)
            w = w - 0.05 * 2 * (x @ w.T - y).T @ x / n
        found = theory.shallow_student(o, x, y, 0.05, [0, 1, 10, 30])
        np.testing.assert_allclose(found, [walked[k] for k in (0, 1, 10, 30)], atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.generalisation_error(W, TEACHER, 0.1), "must have one shape"),
        (lambda: theory.generalisation_error(TEACHER, TEACHER, -1), "must be positive"),
        (lambda: theory.student_information(W, np.ones((1, 3)), 1, 1), "the same inputs"),
        (lambda: theory.student_information(W, TEACHER, 0, 1), "noise_variance must be positive"),
        (lambda: theory.input_information(W, [1, 0], 1), "yes or no for each of the 2 inputs"),
        (lambda: theory.student_information([1.0], TEACHER, 1, 1), "finite matrix"),
        (lambda: theory.shallow_student(TEACHER, W, W, 0.1, [1]), "do not fit"),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
