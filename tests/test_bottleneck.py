"""The information-bottleneck curve, held against closed forms, bounds and a slow twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from ibcore.information import binary_entropy, mutual_information
from ibcore.labels import label_distribution
from ibcore.tasks import load_task
from ibcore.theory import (
    bottleneck,
    ib_curve,
    ib_encoder,
    minimal_statistic,
    relevance_at,
    squared_ib_curve,
)

NAT = 1 / np.log(2)  # in bits
seeds = st.integers(0, 9999)


def random_table(seed, n_x, n_y, zeros=False):
    """Draw a joint distribution whose rows p(y|x) are all different, unless with zeros."""
    rng = np.random.default_rng(seed)
    sharpness = rng.choice([0.2, 0.5, 1.0, 3.0])
    p_y_given_x = rng.dirichlet(np.full(n_y, sharpness), size=n_x)
    if zeros:
        p_y_given_x *= rng.random((n_x, n_y)) < 0.6
        p_y_given_x[np.arange(n_x), rng.integers(0, n_y, n_x)] += 0.2
        p_y_given_x /= p_y_given_x.sum(axis=1, keepdims=True)
    return rng.dirichlet(np.ones(n_x))[:, None] * p_y_given_x


def ib_by_annealing(p_xy, beta):
    """Blahut-Arimoto as in the book, one loop per sum, β annealed downward: the slow twin."""
    p_x = p_xy.sum(axis=1)
    p_y_given_x = p_xy / p_x[:, None]
    n = len(p_x)
    q = np.eye(n)
    for b in np.geomspace(max(50, beta), beta, 12):
        for _ in range(3000):
            p_t = q.T @ p_x
            p_y_given_t = np.full((n, p_xy.shape[1]), 1 / p_xy.shape[1])
            for t in np.flatnonzero(p_t > 1e-290):
                p_y_given_t[t] = (q[:, t] * p_x) @ p_y_given_x / p_t[t]
            log_q = np.full((n, n), -np.inf)
            for x in range(n):
                for t in np.flatnonzero(p_t > 1e-290):
                    divergence = np.sum(p_y_given_x[x] * np.log(p_y_given_x[x] / p_y_given_t[t]))
                    log_q[x, t] = np.log(p_t[t]) - b * divergence
            new = np.exp(log_q - log_q.max(axis=1, keepdims=True))
            new /= new.sum(axis=1, keepdims=True)
            moved, q = np.abs(new - q).max(), new
            if moved < 1e-11:
                break
    return (
        mutual_information(q * p_x[:, None]),
        mutual_information((q * p_x[:, None]).T @ p_y_given_x),
    )


@pytest.mark.parametrize(
    ("beta", "complexity", "relevance"),
    [
        (1.6, 0.12872253, 0.08144605),
        (1.8, 0.51740906, 0.31239339),
        (2.0, 0.69643273, 0.40723383),
        (3.0, 0.94895083, 0.51659516),
    ],
)
def test_binary_symmetric_channel_meets_the_table(beta, complexity, relevance):
    """A uniform bit, flipped with probability .1."""
    curve = ib_curve(np.array([[0.45, 0.05], [0.05, 0.45]]), [beta])
    assert curve.complexity.item() == pytest.approx(complexity, abs=6e-9)
    assert curve.relevance.item() == pytest.approx(relevance, abs=6e-9)


def test_binary_symmetric_channel_is_mrs_gerbers_curve():
    """I(T;Y) = 1 - h2(eps * h2^-1(1 - I(T;X))), and nothing below beta = 1/(1 - 2 eps)^2."""
    eps = 0.1
    curve = ib_curve(np.array([[0.45, 0.05], [0.05, 0.45]]), np.geomspace(1.2, 20, 12))
    for beta, r, relevance in zip(curve.beta, curve.complexity, curve.relevance, strict=True):
        if beta < 1 / (1 - 2 * eps) ** 2:
            assert r == pytest.approx(0, abs=1e-8)
        flip = brentq(lambda a, r=r: binary_entropy(a) - (1 - r), 0, 0.5, xtol=1e-15)
        expected = 1 - binary_entropy(flip * (1 - eps) + (1 - flip) * eps)
        assert relevance == pytest.approx(expected, abs=1e-8)


@settings(max_examples=5)
@given(seeds)
def test_curve_agrees_with_its_slow_twin(seed):
    """Same points from plain loops that anneal β step by step."""
    p_xy = random_table(seed, 4, 3)
    curve = ib_curve(p_xy, [3.0, 12.0])
    for i, beta in enumerate((3.0, 12.0)):
        complexity, relevance = ib_by_annealing(p_xy, beta)
        # Near a bifurcation both stop on the way along the curve, where only the
        # Lagrangian is settled.
        found = curve.complexity[i].item() - beta * curve.relevance[i].item()
        assert found == pytest.approx(complexity - beta * relevance, abs=1e-6)


@settings(max_examples=15)
@given(seed=seeds, n_x=st.integers(2, 9), zeros=st.booleans())
def test_no_encoder_does_better(seed, n_x, zeros):
    """The bottleneck is rate-distortion with distortion D[p(y|x)‖r] and all r to choose from.

    On a fixed grid of r that is a convex problem, so any algorithm finds its global minimum;
    with Csiszár's bound the minimum over all grid encoders is enclosed from below. The curve
    has to lie at or below every encoder of the grid, and above the bound by the grid's step.
    """
    betas = np.array([0.5, 1.0, 1.5, 4.0, 15.0])
    p_xy = random_table(seed, n_x, 2, zeros)
    curve, p_x = ib_curve(p_xy, betas), p_xy.sum(axis=1)
    r = np.clip(np.linspace(0, 1, 4001), 1e-9, 1 - 1e-9)
    divergence = divergences(p_xy / p_x[:, None], np.column_stack([1 - r, r]))
    for i, beta in enumerate(betas):
        low, high = rate_distortion(p_x, np.exp(-beta * divergence))
        found = (curve.complexity + beta * (curve.information - curve.relevance))[i].item()
        assert low * NAT - 1e-3 <= found <= high * NAT + 1e-6


def divergences(p, r):
    """D(p_i || r_j) in nats."""
    own = np.sum(p * np.log(np.maximum(p, 1e-300)), axis=1)
    return own[:, None] - p @ np.log(r).T


def rate_distortion(p_x, kernel):
    """Enclose min over p(t) of -Σ p(x) ln Σ p(t) kernel(x, t), in nats.

    Returns the value reached by 300 steps of Blahut's algorithm and, below it, Csiszár's bound.
    """
    p_t = np.full(kernel.shape[1], 1 / kernel.shape[1])
    for _ in range(300):
        p_t = p_t * ((p_x / (kernel @ p_t)) @ kernel)
    z = kernel @ p_t
    reached = -p_x @ np.log(z)
    return reached - np.log(((p_x / z) @ kernel).max()), reached


@settings(max_examples=15)
@given(seeds)
def test_curve_is_increasing_concave_and_below_its_ceilings(seed):
    """I(T;Y) <= min(I(X;T), I(X;Y)), I(X;T) <= H(S); slopes of the chords are 1/β between."""
    curve = ib_curve(random_table(seed, 6, 3), np.geomspace(1, 200, 25))
    r, i = curve.complexity.values, curve.relevance.values
    assert (i <= np.minimum(r, curve.information) + 1e-9).all()
    assert (r <= curve.sufficient_complexity + 1e-9).all()
    assert (np.diff(r) >= -1e-6).all()
    # The minimum of I(X;T) - β I(T;Y) at one β is no better served by the point of another.
    lagrangian = r[None, :] - curve.beta.values[:, None] * i[None, :]
    assert (np.diag(lagrangian) <= lagrangian.min(axis=1) + 1e-6).all()


@settings(max_examples=5)
@given(seeds)
def test_merging_equal_rows_loses_nothing(seed):
    """I(S;Y) = I(X;Y) for the minimal sufficient statistic S, also with rows of probability 0."""
    p_xy = random_table(seed, 5, 3)
    twice = np.vstack([0.25 * p_xy, np.zeros((1, 3)), 0.75 * p_xy])
    p_sy, statistic = minimal_statistic(twice)
    assert len(p_sy) == 5
    assert mutual_information(p_sy) == pytest.approx(mutual_information(twice), abs=1e-10)
    assert statistic[5] == -1
    np.testing.assert_array_equal(statistic[:5], statistic[6:])
    together = ib_curve(p_xy, [20.0])
    np.testing.assert_allclose(ib_curve(twice, [20.0]).relevance, together.relevance, atol=1e-9)


def test_deterministic_labels_have_a_straight_curve():
    """Labels that are a function of x: min(R, H(Y)), whatever β; the Lagrangian finds its ends."""
    task = load_task("szt")
    curve = ib_curve(label_distribution(task.y) / len(task.y), [0.0, 0.5, 1.5, 100.0])
    ends = [0, 0, task.information, task.information]
    np.testing.assert_allclose(curve.complexity, ends, atol=1e-9)
    r = np.linspace(0, 12, 50)
    np.testing.assert_allclose(relevance_at(curve, r), np.minimum(r, task.label_entropy))


def test_soft_labels_of_the_task_have_a_curve_of_one_bit():
    """The soft task: from 0 to I(X;Y) = 0.99 bit, and below min(R, I(X;Y)) in between."""
    task = load_task("szt_soft")
    curve = ib_curve(label_distribution(task.y) / len(task.y), np.geomspace(1, 1000, 30))
    assert curve.information == pytest.approx(task.information, abs=1e-10)
    assert curve.residual.max() < 1e-10
    found = relevance_at(curve, [0.0, 0.8, 12.0])
    assert found[0] == pytest.approx(0, abs=1e-12)  # its last digit is the processor's
    assert 0.75 < found[1] < 0.8
    assert found[2] == pytest.approx(0.99, abs=2e-6)


def test_hull_interpolates_and_never_dips():
    """The curve's own points lie on it; it is concave; a point below the chord is passed over."""
    curve = ib_curve(random_table(3, 6, 3), np.geomspace(1, 100, 20))
    np.testing.assert_allclose(
        relevance_at(curve, np.maximum(curve.complexity, 0)), curve.relevance, atol=1e-7
    )
    r = np.linspace(0, curve.sufficient_complexity, 200)
    assert (np.diff(relevance_at(curve, r), 2) <= 1e-9).all()
    worse = curve.copy(deep=True)
    worse.relevance[10] -= 0.05
    assert relevance_at(worse, worse.complexity[10]) > worse.relevance[10].item() + 0.02


def test_encoder_is_the_formula():
    """p(t|x) = p(t) exp(-β D) / Z, written out for one x."""
    p_x, p_t = np.array([0.3, 0.7]), np.array([0.4, 0.6])
    p_y_given_t = np.array([[0.9, 0.1], [0.2, 0.8]])
    weights = p_t * np.exp(-2.5 * np.sum(p_x * np.log(p_x / p_y_given_t), axis=1))
    found = ib_encoder(p_x[None], p_t, p_y_given_t, beta=2.5)
    np.testing.assert_allclose(found[0], weights / weights.sum(), rtol=1e-13)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ib_curve([[0.5, 0.5]], [-1.0]), "finite numbers, none negative"),
        (lambda: ib_curve([[0.5, 0.6]], [1.0]), "p_xy must sum to 1"),
        (lambda: relevance_at(ib_curve([[0.5, 0.5]], [1.0]), -0.1), "cannot be negative, got -0.1"),
    ],
)
def test_refusals_say_what_was_expected_and_what_came(call, message):
    """Every refusal is a ValueError with its reason."""
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("beta", [1.0, 10.0, 100.0])
def test_squared_lagrangian_settles_where_little_is_kept(beta):
    """Three classes, labels a function of x: I(X;T) = I(T;Y) = 1 / 2β also far below H(Y)."""
    curve = squared_ib_curve(np.diag([0.2, 0.3, 0.5]), [beta])
    assert curve.complexity.item() == pytest.approx(1 / (2 * beta), abs=1e-9)
    assert curve.relevance.item() == pytest.approx(1 / (2 * beta), abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_annealing_is_never_better_and_mostly_as_good(seed):
    """From nothing up it reaches the same optima, but for transitions that jump, where it stays."""
    table = random_table(seed, 5, 3)
    betas = np.array([8.0, 1.5, 3.0, 2.0, 1.1])
    plain, annealed = ib_curve(table, betas), ib_curve(table, betas, annealed=True)
    np.testing.assert_allclose(annealed.complexity, plain.complexity, atol=1e-6)
    alone, _ = bottleneck._annealed(minimal_statistic(table)[0], betas)
    best = (plain.complexity - plain.beta * plain.relevance).values
    behind = alone[:, 0] - betas * alone[:, 1] - best
    assert (behind > -1e-6).all()
    assert (behind < 1e-6).mean() >= 0.8


def test_annealing_stands_where_the_other_starts_miss(monkeypatch):
    """The better result is taken, in whatever order the prices come."""
    monkeypatch.setattr(
        bottleneck,
        "_better_start",
        lambda p, betas: (np.tile([1.0, 0.0], (len(betas), 1)), np.zeros(len(betas))),
    )
    table = [[0.45, 0.05], [0.05, 0.45]]
    found = ib_curve(table, [3.0, 2.0], annealed=True)
    np.testing.assert_allclose(found.complexity, [0.94895083, 0.69643273], atol=1e-6)
