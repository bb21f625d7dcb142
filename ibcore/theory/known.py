"""Pairs of variables whose mutual information is known: what an estimator can be held to.

The forty tasks of Beyond Normal (Czyż et al. 2023) are Gaussian, Student and uniform pairs of 1 to
50 dimensions and what invertible functions make of them: information does not change when each side
is transformed by itself, so that the truth remains a closed form where a density would be hopeless.
Beside them stand layers with labels, and channels of known noise, of the kinds a network has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import digamma, gammaln, ndtr

from ibcore.information import binary_entropy, entropy
from ibcore.theory.gaussian import gaussian_information
from ibcore.theory.mixtures import mixture_information

Array = NDArray[np.float64]
Map = Callable[[Array], Array]
_LN2 = float(np.log(2))
CORRELATION = 0.75  # of the pairs in one dimension
DENSE, PAIRED, N_PAIRED = 0.5, 0.8, 2  # correlations in several
SPEED = 1 / 3  # of the spiral


@dataclass(frozen=True)
class Known:
    """A pair of variables with its information.

    Attributes
    ----------
    name, family : str
    bits : float
        I(X;Y), the truth.
    draw : (n, generator) -> x (sample, feature), y
        y is (sample, feature), or (sample,) integers where ``labels``.
    labels : bool
    """

    name: str
    family: str
    bits: float
    draw: Callable[[int, np.random.Generator], tuple[Array, Any]]
    labels: bool = False


# Gaussian, Student, uniform ----------------------------------------------------------------------


def dense(d: int) -> Array:
    """Covariance of 2d variables that all have correlation ½ with each other."""
    return np.full((2 * d, 2 * d), DENSE) + (1 - DENSE) * np.eye(2 * d)


def paired(d: int, rho: float = PAIRED, n_pairs: int = N_PAIRED) -> Array:
    """Covariance of X and Y, d variables each: x_i and y_i have correlation ρ for i < n_pairs."""
    found = np.eye(2 * d)
    for i in range(min(n_pairs, d)):
        found[i, d + i] = found[d + i, i] = rho
    return found


def student_excess(df: float, d_x: int, d_y: int) -> float:
    """What a Student pair has beyond a Gaussian one of its dispersion, in bits.

    h(d_x) + h(d_y) - h(d_x + d_y) with the entropy of a Student vector of unit dispersion,

        h(k) = (ν+k)/2 [ψ((ν+k)/2) - ψ(ν/2)] - ln Γ((ν+k)/2) + ln Γ(ν/2) + k/2 ln(νπ).

    Arellano-Valle, Contreras-Reyes & Genton (2013), eq. 7. It is there for uncorrelated variables,
    too: their common denominator tells how large both are.
    """

    def h(k: int) -> float:
        a, b = (df + k) / 2, df / 2
        return float(
            a * (digamma(a) - digamma(b)) - gammaln(a) + gammaln(b) + k / 2 * np.log(df * np.pi)
        )

    return (h(d_x) + h(d_y) - h(d_x + d_y)) / _LN2


def uniform_noise_information(half_width: float) -> float:
    """I(X; X+N) in bits, X uniform on [0, 1] and N on [-ε, ε]: ε - ln 2ε nats to ε = ½, then 1/4ε.

    Examples
    --------
    >>> round(uniform_noise_information(0.5), 6)
    0.721348
    """
    nats = half_width - np.log(2 * half_width) if half_width <= 0.5 else 1 / (4 * half_width)
    return float(nats / _LN2)


def _normal(covariance: Array, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    z = rng.standard_normal((n, len(covariance))) @ np.linalg.cholesky(covariance).T
    return z[:, : len(covariance) // 2], z[:, len(covariance) // 2 :]


def _student(df: float, dispersion: Array, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x, y = _normal(dispersion, n, rng)
    shrink = np.sqrt(rng.chisquare(df, (n, 1)) / df)
    return x / shrink, y / shrink


def _additive(half_width: float, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x = rng.random((n, 1))
    return x, x + rng.uniform(-half_width, half_width, (n, 1))


# Invertible maps ---------------------------------------------------------------------------------


def half_cube(x: Array) -> Array:
    """x √|x|: longer tails."""
    return x * np.sqrt(np.abs(x))


def wiggly_x(x: Array) -> Array:
    """A line with ripples, increasing."""
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1) + 0.03 * np.sin(3.3 * x - 2.5)


def wiggly_y(y: Array) -> Array:
    """Another one."""
    return y - 0.4 * np.sin(0.4 * y) + 0.17 * np.sin(1.3 * y + 3.5) + 0.02 * np.sin(4.3 * y - 2.5)


def two_humps(u: Array, share: float, first: float, second: float) -> Array:
    """Uniform to a mixture of N(first, 1), with its share, and N(second, 1): the inverse of F."""
    low, high = np.full_like(u, min(first, second) - 9), np.full_like(u, max(first, second) + 9)
    for _ in range(60):  # bisection, to 1e-17 of the width
        middle = (low + high) / 2
        below = share * ndtr(middle - first) + (1 - share) * ndtr(middle - second) < u
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def spiral(x: Array, i: int, j: int, speed: float = SPEED) -> Array:
    """Turn the plane of coordinates i and j by an angle of speed times ‖x‖²."""
    angle = speed * (x**2).sum(axis=1)
    found = x.copy()
    found[:, i] = np.cos(angle) * x[:, i] + np.sin(angle) * x[:, j]
    found[:, j] = np.cos(angle) * x[:, j] - np.sin(angle) * x[:, i]
    return found


def swiss_roll(u: Array) -> Array:
    """[0, 1] rolled up in the plane: (t cos t, t sin t)/21 with t = 3π/2 (1 + 2u)."""
    t = 1.5 * np.pi * (1 + 2 * u)
    return np.concatenate([t * np.cos(t), t * np.sin(t)], axis=1) / 21


def _of(task: Known, name: str, family: str, of_x: Map, of_y: Map) -> Known:
    """A task seen through an invertible map of each side."""

    def draw(n: int, rng: np.random.Generator) -> tuple[Array, Any]:
        x, y = task.draw(n, rng)
        return of_x(x), of_y(y)

    return Known(name, family, task.bits, draw)


# The forty tasks ---------------------------------------------------------------------------------


def _gaussian(name: str, family: str, covariance: Array) -> Known:
    bits = gaussian_information(covariance, len(covariance) // 2)
    return Known(name, family, bits, partial(_normal, covariance))


def _student_task(d: int, df: int) -> Known:
    dispersion = np.eye(2 * d)  # the tie between X and Y is their common denominator
    bits = student_excess(df, d, d)
    return Known(
        f"Student, {df} dof, {d} × {d}", "Student", bits, partial(_student, df, dispersion)
    )


def beyond_normal() -> list[Known]:
    """The forty tasks, in the order of the paper's benchmark.

    References
    ----------
    Czyż, Grabowski, Vogt, Beerenwinkel & Marx (2023), *Beyond normal: on the evaluation of mutual
    information estimators*, section 3 and appendix.

    Examples
    --------
    >>> tasks = beyond_normal()
    >>> len(tasks), round(tasks[0].bits, 3)
    (40, 0.596)
    """
    normal = _gaussian("normal 1 × 1", "one dimension", paired(1, CORRELATION))
    uniform = _of(normal, "uniform margins 1 × 1", "one dimension", ndtr, ndtr)
    student = _student_task(1, 1)
    one = [
        normal,
        uniform,
        *(
            Known(f"uniform noise {e:g}", "one dimension", uniform_noise_information(e),
                  partial(_additive, e))
            for e in (0.1, 0.75)
        ),
        _of(uniform, "bimodal 1 × 1", "one dimension", lambda u: two_humps(u, 0.3, 0, 5),
            lambda u: two_humps(u, 0.5, -1, 3)),
        _of(normal, "wiggly 1 × 1", "one dimension", wiggly_x, wiggly_y),
        _of(normal, "half-cube 1 × 1", "one dimension", half_cube, half_cube),
        student,
        _of(student, "asinh of Student, 1 dof, 1 × 1", "one dimension", np.arcsinh, np.arcsinh),
        _of(uniform, "Swiss roll 2 × 1", "embedding", swiss_roll, _same),
    ]  # fmt: skip
    many = [_gaussian(f"normal, dense {d} × {d}", "Gaussian", dense(d)) for d in (2, 3, 5, 25, 50)]
    few = {d: _gaussian(f"normal, two pairs {d} × {d}", "Gaussian", paired(d)) for d in
           (2, 3, 5, 25)}  # fmt: skip
    students = [_student_task(d, df) for d, df in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))]
    return [*one, *many, *few.values(), *students, *_transformed(few, students)]


def _same(x: Array) -> Array:
    return x


def _transformed(gaussian: dict[int, Known], students: list[Known]) -> list[Known]:
    chosen = [gaussian[d] for d in (3, 5, 25)]
    wound: tuple[Map, Map] = (partial(spiral, i=0, j=1), partial(spiral, i=1, j=2))
    margins = [
        _of(one, f"uniform margins of {one.name}", "transformed", ndtr, ndtr) for one in chosen
    ]
    return [
        *margins,
        *(
            _of(one, f"half-cube of {one.name}", "transformed", half_cube, half_cube)
            for one in chosen
        ),
        *(_of(one, f"spiral of {one.name}", "transformed", *wound) for one in chosen),
        *(_of(one, f"spiral of {one.name}", "transformed", *wound) for one in margins),
        *(
            _of(students[k], f"asinh of {students[k].name}", "transformed", np.arcsinh, np.arcsinh)
            for k in (0, 2, 4)
        ),
    ]


# Layers with labels, and channels ----------------------------------------------------------------


def _flipped(n: int, rng: np.random.Generator) -> tuple[Array, Any]:
    y = rng.integers(0, 2, n)
    return (y ^ (rng.random(n) < 0.1)).astype(float)[:, None] - 0.5, y


def _ones(n: int, rng: np.random.Generator) -> tuple[Array, Any]:
    t = rng.integers(0, 2, (n, 4))
    return t.astype(np.float64) - 0.5, t.sum(axis=1)


def _nothing(d: int, n: int, rng: np.random.Generator) -> tuple[Array, Any]:
    return rng.uniform(-1, 1, (n, d)), rng.integers(0, 10, n)


def _clouds(n_signal: int, d: int, n: int, rng: np.random.Generator) -> tuple[Array, Any]:
    bits = rng.integers(0, 2, (n, n_signal))
    t = rng.standard_normal((n, d))
    t[:, :n_signal] += 2 * bits - 1
    return t, bits @ 2 ** np.arange(n_signal)


def _rectified(n: int, rng: np.random.Generator) -> tuple[Array, Any]:
    y = rng.integers(0, 2, n)
    return np.maximum(rng.standard_normal((n, 1)) + (2 * y - 1)[:, None], 0), y


def rectified_information() -> float:
    """I(T;Y) in bits, T = max(0, Y + Z), Y = ±1 and Z ~ N(0, 1): a point mass and a density.

    H(Y|T) = P(T=0) h₂(P(Y=1|T=0)) + ∫₀ p(t) h₂(1/(1 + e^{-2t})) dt.
    """
    at_zero = (ndtr(-1.0) + ndtr(1.0)) / 2

    def above(t: float) -> float:
        density = (np.exp(-((t - 1) ** 2) / 2) + np.exp(-((t + 1) ** 2) / 2)) / np.sqrt(8 * np.pi)
        return float(density * binary_entropy(1 / (1 + np.exp(-2 * t))))

    rest = at_zero * binary_entropy(ndtr(-1.0) / (2 * at_zero)) + quad(above, 0, 12)[0]
    return float(1 - rest)


def label_tasks() -> list[Known]:
    """Layers (sample, unit) with labels: discrete, Gaussian, mixed, and with nothing to find."""
    cloud = float(mixture_information(np.array([-1.0, 1.0])))
    binomial = entropy(np.array([1, 4, 6, 4, 1]) / 16)
    return [
        Known("a bit, flipped 10 %", "discrete", float(1 - binary_entropy(0.1)), _flipped, True),
        Known("number of ones, 4 units", "discrete", binomial, _ones, True),
        Known("2 clouds, 1 unit", "Gaussian clouds", cloud, partial(_clouds, 1, 1), True),
        Known("4 clouds, 2 units", "Gaussian clouds", 2 * cloud, partial(_clouds, 2, 2), True),
        Known("4 clouds, 10 units", "Gaussian clouds", 2 * cloud, partial(_clouds, 2, 10), True),
        Known("2 clouds, rectified", "mixed", rectified_information(), _rectified, True),
        Known("nothing, 2 units", "independent", 0.0, partial(_nothing, 2), True),
        Known("nothing, 4 units", "independent", 0.0, partial(_nothing, 4), True),
        Known("nothing, 10 units", "independent", 0.0, partial(_nothing, 10), True),
    ]


def _channel(ratio: float, d: int, n: int, rng: np.random.Generator) -> tuple[Array, Any]:
    x = np.sqrt(ratio) * rng.standard_normal((n, d))
    return x, x + rng.standard_normal((n, d))


def channel_tasks() -> list[Known]:
    """T = X + Z of d units, Z ~ N(0, 1): d/2 log2(1 + r) bits, r the variance of X."""
    return [
        Known(f"{d} units, r = {r:g}", "linear Gaussian", d / 2 * float(np.log2(1 + r)),
              partial(_channel, r, d))
        for d, r in ((1, 3.0), (2, 3.0), (5, 3.0), (5, 10.0), (20, 1.0))
    ]  # fmt: skip
