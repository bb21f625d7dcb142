"""Linear student and teacher with Gaussian inputs: error, information of layers and of inputs.

X ~ N(0, I / N), y = W_o x + noise of variance σ_o²; the student computes T = W̄ x + noise of
variance σ², where W̄ is the product of its weights up to the layer (Saxe et al. 2018, sections 3
and 5). Matrices are (unit, input), as in the papers; informations are in bits.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def generalisation_error(student: ArrayLike, teacher: ArrayLike, noise_variance: float) -> float:
    """E (y - W x)² on fresh data, ‖W_o - W‖² / N + σ_o².

    Parameters
    ----------
    student, teacher : (output, input) arrays
        Total weights W of the student, and W_o.
    noise_variance : float
        σ_o², per output.

    Examples
    --------
    >>> generalisation_error([[1.0, 0.0]], [[1.0, 1.0]], noise_variance=0.5)
    1.0
    """
    w, w_o = _matrix("student", student), _matrix("teacher", teacher)
    if w.shape != w_o.shape:
        raise ValueError(f"student and teacher must have one shape, got {w.shape} and {w_o.shape}.")
    outputs, inputs = w_o.shape
    gap = ((w_o - w) ** 2).sum() / inputs
    return float(gap + outputs * _positive("noise_variance", noise_variance, zero=True))


def student_information(
    weight: ArrayLike, teacher: ArrayLike, noise_variance: float, teacher_noise_variance: float
) -> tuple[float, float]:
    """I(X;T) and I(T;Y) of a linear layer, in bits.

    I(X;T) = ½ Σ log2(1 + s_k² / (N σ²)) over the singular values of W̄, and
    I(T;Y) = ½ log2 [det Σ_YY / det(Σ_YY - Σ_YT Σ_T⁻¹ Σ_TY)].

    Parameters
    ----------
    weight : (unit, input) array
        W̄.
    teacher : (output, input) array
    noise_variance, teacher_noise_variance : float
        σ² and σ_o².

    Examples
    --------
    >>> found = student_information([[1, 2], [0.5, -1]], [[1, 1]], 1.0, 0.5)
    >>> [round(float(bits * np.log(2)), 10) for bits in found]
    [0.8170652625, 0.2818445567]
    """
    w, w_o = _matrix("weight", weight), _matrix("teacher", teacher)
    n = _same_inputs(w, w_o)
    v, v_o = (
        _positive(name, value)
        for name, value in (
            ("noise_variance", noise_variance),
            ("teacher_noise_variance", teacher_noise_variance),
        )
    )
    i_xt = 0.5 * np.log2(1 + np.linalg.svd(w, compute_uv=False) ** 2 / (n * v)).sum()
    s_t = w @ w.T / n + v * np.eye(len(w))
    s_ty = w @ w_o.T / n
    s_y = w_o @ w_o.T / n + v_o * np.eye(len(w_o))
    left = s_y - s_ty.T @ np.linalg.solve(s_t, s_ty)
    return float(i_xt), float(0.5 * (_log2_det(s_y) - _log2_det(left)))


def input_information(
    weight: ArrayLike, chosen: ArrayLike, noise_variance: float
) -> tuple[float, float]:
    """What a linear layer tells of some of its inputs, and of the others given these, in bits.

    I(X_A;T) = ½ log2 [det Σ_T / det(W̄_B W̄_Bᵀ / N + σ² I)] and I(X_B;T|X_A); they add up to I(X;T).

    Parameters
    ----------
    weight : (unit, input) array
    chosen : (input,) bool array
        Which inputs are A.
    noise_variance : float

    Examples
    --------
    >>> a, b = input_information([[1.0, 0.0]], [True, False], noise_variance=0.5)
    >>> round(a, 6), round(b, 6)
    (0.5, 0.0)
    """
    w, a = _matrix("weight", weight), np.asarray(chosen)
    if a.dtype != bool or a.shape != w.shape[1:]:
        raise ValueError(
            f"chosen must say yes or no for each of the {w.shape[1]} inputs, got {a.dtype} of "
            f"shape {a.shape}."
        )
    n, v = w.shape[1], _positive("noise_variance", noise_variance)
    noise = v * np.eye(len(w))
    others = w[:, ~a] @ w[:, ~a].T / n + noise
    every = _log2_det(w @ w.T / n + noise)
    rest = _log2_det(others)
    return float(0.5 * (every - rest)), float(0.5 * (rest - _log2_det(noise)))


def shallow_student(
    teacher: ArrayLike, x: ArrayLike, y: ArrayLike, learning_rate: float, steps: ArrayLike
) -> NDArray[np.float64]:
    """Weights of a linear network without hidden layer under full-batch gradient descent, exactly.

    From W = 0 on the loss mean ‖y - W x‖², after t steps of rate η, in the eigenvectors of the
    empirical covariance: each component goes to its least-squares value as
    1 - (1 - 2 η λ)^t (Advani & Saxe 2017, eq. 7).

    Parameters
    ----------
    teacher : (output, input) array
        Only its shape is used.
    x, y : (sample, input), (sample, output) arrays
    learning_rate : float
    steps : (time,) integers

    Returns
    -------
    (time, output, input) array
    """
    inputs, targets = _matrix("x", x), _matrix("y", y)
    shape, n = _matrix("teacher", teacher).shape, len(inputs)
    if (targets.shape[1], inputs.shape[1]) != shape or n != len(targets):
        raise ValueError(
            f"x {inputs.shape} and y {targets.shape} do not fit a teacher of shape {shape}."
        )
    values, axes = np.linalg.eigh(inputs.T @ inputs / n)
    target = targets.T @ inputs / n @ axes  # λ times the least-squares weights
    rate = 2 * _positive("learning_rate", learning_rate) * values
    t = np.asarray(steps)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = np.where(values > 1e-12, (1 - (1 - rate) ** t) / values, 2 * learning_rate * t)
    return (target * grown[:, None]) @ axes.T


def _matrix(name: str, value: ArrayLike) -> NDArray[np.float64]:
    matrix = np.asarray(value, np.float64)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError(f"{name} must be a finite matrix, got shape {matrix.shape}.")
    return matrix


def _same_inputs(weight: NDArray[np.float64], teacher: NDArray[np.float64]) -> int:
    if weight.shape[1] != teacher.shape[1]:
        raise ValueError(
            f"layer and teacher must have the same inputs, got {weight.shape[1]} and "
            f"{teacher.shape[1]}."
        )
    return weight.shape[1]


def _positive(name: str, value: float, zero: bool = False) -> float:
    if not (np.isfinite(value) and (value > 0 or (zero and value == 0))):
        raise ValueError(f"{name} must be positive, got {value}.")
    return float(value)


def _log2_det(matrix: NDArray[np.float64]) -> np.float64:
    return np.linalg.slogdet(matrix)[1] / np.log(2)
