"""Entropy and mutual information of finite tables: exact, in bits, numpy only.

A *table* is a joint distribution p(x, y) as an array (x, y) that is non-negative and sums
to 1. *Counts* are non-negative whole numbers; the functions that take them work from
φ(n) = n log₂ n, so that two equal sets of counts give the same float, in whatever order
they come. 0 log 0 = 0 throughout.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.labels import as_array

# Tables are made by sums and products of float64, so 1 is met to a few ulp per entry.
_SUM_TOLERANCE = 1e-9
_MOST_COUNTED = 2**53  # beyond, neighbouring whole numbers are one float


def entropy(p: ArrayLike) -> float:
    """H(X) = -Σ p log₂ p, in bits.

    Parameters
    ----------
    p : array of any shape
        Probabilities: non-negative, with sum 1. A joint table gives the joint entropy.

    Raises
    ------
    ValueError
        If an entry is negative or not finite, or the entries do not sum to 1.

    Examples
    --------
    >>> entropy([0.5, 0.25, 0.25])
    1.5
    """
    p = _distribution(p, "p")
    return -_sum_p_log_p(p) + 0.0  # + 0.0 turns the -0.0 of a certain outcome into 0.0


def binary_entropy(p: ArrayLike) -> NDArray[np.float64]:
    """h₂(p) = -p log₂ p - (1 - p) log₂(1 - p), in bits, element by element.

    Parameters
    ----------
    p : array of any shape
        Probabilities of one of two outcomes, in [0, 1].

    Examples
    --------
    >>> binary_entropy([0.0, 0.5, 1.0])
    array([0., 1., 0.])
    """
    p = _real(p, "p")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"p must lie in [0, 1], got values from {p.min():.6g} to {p.max():.6g}; "
            "pass probabilities, not logits."
        )
    return -_p_log_p(p) - _p_log_p(1 - p) + 0.0


def conditional_entropy(p_xy: ArrayLike) -> float:
    """H(Y|X) = H(X,Y) - H(X), in bits.

    Parameters
    ----------
    p_xy : (x, y) array
        Joint distribution.

    Examples
    --------
    Y a copy of X leaves nothing open; Y independent of X leaves everything:

    >>> conditional_entropy([[0.5, 0.0], [0.0, 0.5]])
    0.0
    >>> conditional_entropy([[0.25, 0.25], [0.25, 0.25]])
    1.0
    """
    p_xy = _table(p_xy)
    return entropy(p_xy) - entropy(p_xy.sum(axis=1))


def mutual_information(p_xy: ArrayLike) -> float:
    """I(X;Y) = H(X) + H(Y) - H(X,Y), in bits.

    Parameters
    ----------
    p_xy : (x, y) array
        Joint distribution: non-negative, with sum 1.

    Raises
    ------
    ValueError
        If the table is not two-dimensional, not a distribution, or has a bad entry.

    Examples
    --------
    A noiseless bit:

    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]])
    1.0
    """
    p_xy = _table(p_xy)
    return entropy(p_xy.sum(axis=1)) + entropy(p_xy.sum(axis=0)) - entropy(p_xy)


def conditional_mutual_information(p_xyz: ArrayLike) -> float:
    """I(X;Y|Z) = H(X,Z) + H(Y,Z) - H(X,Y,Z) - H(Z), in bits.

    Parameters
    ----------
    p_xyz : (x, y, z) array
        Joint distribution of three variables.

    Examples
    --------
    Z = X xor Y of two fair bits: independent, and wholly dependent once Z is known.

    >>> p = np.array([[[0.25, 0], [0, 0.25]], [[0, 0.25], [0.25, 0]]])
    >>> conditional_mutual_information(p)
    1.0
    """
    p = _distribution(p_xyz, "p_xyz")
    if p.ndim != 3:
        raise ValueError(f"p_xyz must have three axes (x, y, z), got shape {p.shape}.")
    h_xz, h_yz = entropy(p.sum(axis=1)), entropy(p.sum(axis=0))
    return h_xz + h_yz - entropy(p) - entropy(p.sum(axis=(0, 1)))


def divergence(p: ArrayLike, q: ArrayLike) -> float:
    """D(p‖q) = Σ p log₂(p/q), in bits; infinite where q misses mass of p.

    Parameters
    ----------
    p, q : arrays of one shape
        Distributions over the same outcomes.

    Examples
    --------
    >>> divergence([1.0, 0.0], [0.25, 0.75])
    2.0
    """
    p, q = _distribution(p, "p"), _distribution(q, "q")
    if p.shape != q.shape:
        raise ValueError(f"p and q must have one shape, got {p.shape} and {q.shape}.")
    p, q = p[p > 0], q[p > 0]
    if (q == 0).any():
        return float("inf")
    with np.errstate(over="ignore"):
        ratio = p / q
    # q may be so small that the ratio overflows, and its logarithm does not.
    logarithm = np.where(np.isfinite(ratio), np.log2(ratio), np.log2(p) - np.log2(q))
    return float(np.sum(p * logarithm))


def entropy_from_counts(counts: ArrayLike) -> float:
    """H = [φ(N) - Σ φ(n)] / N with φ(n) = n log₂ n, in bits: the plug-in entropy.

    Parameters
    ----------
    counts : array of whole numbers, any shape
        How often each symbol occurs; N is their sum.

    Examples
    --------
    >>> entropy_from_counts([1024, 1024, 1024, 1024])
    2.0
    """
    counts = _whole_numbers(counts)
    total = counts.sum()
    return float((_phi(total) - _sum_phi(counts)) / total)


def mutual_information_from_counts(counts: ArrayLike) -> float:
    """I = [φ(N) + Σ φ(n_xy) - Σ φ(n_x) - Σ φ(n_y)] / N with φ(n) = n log₂ n, in bits.

    Parameters
    ----------
    counts : (x, y) array of whole numbers
        How often each pair of symbols occurs.

    Examples
    --------
    >>> mutual_information_from_counts([[4, 0], [0, 4]])
    1.0
    """
    counts = _whole_numbers(counts)
    if counts.ndim != 2:
        raise ValueError(f"counts must have two axes (x, y), got shape {counts.shape}.")
    total = counts.sum()
    joint = _sum_phi(counts)
    margins = _sum_phi(counts.sum(axis=1)) + _sum_phi(counts.sum(axis=0))
    return float((_phi(total) + joint - margins) / total)


def _real(values: Any, name: str) -> NDArray[np.float64]:
    found = as_array(values, name)
    if found.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got dtype {found.dtype}.")
    with np.errstate(over="ignore"):
        return found.astype(np.float64)


def _distribution(p: ArrayLike, name: str) -> NDArray[np.float64]:
    p = _real(p, name)
    if p.size == 0:
        raise ValueError(f"{name} must hold at least one probability, got an empty array.")
    if not np.isfinite(p).all() or (p < 0).any():
        raise ValueError(
            f"{name} must be non-negative and finite, got a smallest entry of {p.min():.6g}."
        )
    with np.errstate(over="ignore"):
        total = p.sum()
    if abs(total - 1) > _SUM_TOLERANCE:
        raise ValueError(f"{name} must sum to 1, got {total:.12g}; divide it by its sum.")
    return p


def _table(p_xy: ArrayLike) -> NDArray[np.float64]:
    p_xy = _distribution(p_xy, "p_xy")
    if p_xy.ndim != 2:
        raise ValueError(f"p_xy must have two axes (x, y), got shape {p_xy.shape}.")
    return p_xy


def _whole_numbers(counts: ArrayLike) -> NDArray[np.int64]:
    counts = as_array(counts, "counts")
    if counts.dtype.kind not in "biu":
        raise ValueError(
            f"counts must be whole numbers of an integer dtype, got {counts.dtype}; "
            "for probabilities use entropy or mutual_information."
        )
    total = counts.sum(dtype=np.float64)
    if counts.size == 0 or counts.min() < 0 or total == 0:
        raise ValueError("counts must be non-negative with a positive sum.")
    if total >= _MOST_COUNTED:
        raise ValueError(f"counts must sum to less than 2**53, got {total:.6g}.")
    return counts.astype(np.int64)


def _p_log_p(p: NDArray[Any]) -> NDArray[np.float64]:
    return p * np.log2(np.where(p > 0, p, 1.0))


def _sum_p_log_p(p: NDArray[Any]) -> float:
    return float(_p_log_p(p).sum())


def _phi(n: NDArray[Any]) -> NDArray[np.float64]:
    return _p_log_p(np.asarray(n, dtype=np.float64))


def _sum_phi(counts: NDArray[np.int64]) -> float:
    # Summed over the distinct counts in ascending order: the result does not depend on
    # the order in which the symbols come.
    n, how_many = np.unique(counts, return_counts=True)
    return float(np.sum(how_many * _phi(n)))
