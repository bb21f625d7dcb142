"""Entropy and mutual information of finite tables: exact, in bits, numpy only.

A *table* is a joint distribution p(x, y) as an array (x, y) that is non-negative and sums
to 1. *Counts* are non-negative whole numbers; the functions that take them work from
φ(n) = n log₂ n, so that two equal sets of counts give the same float, in whatever order
they come. 0 log 0 = 0 throughout.
"""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Tables are made by sums and products of float64, so 1 is met to a few ulp per entry.
_SUM_TOLERANCE = 1e-9
_MOST_ENTRIES = 2**27  # of a table (sample, class): 1 GiB
_NAME_KINDS = (str, bytes, Integral)
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


def numbered_labels(y: ArrayLike) -> tuple[NDArray[np.int64], int]:
    """Class labels of any name as 0, 1, ..., in sorted order, and the number of classes.

    Parameters
    ----------
    y : (sample,) integers, bools or strings
        Negative ones, large ones, gaps between them: only which are equal matters.

    Returns
    -------
    labels : (sample,) int64 array
        Each of 0 ... n_classes - 1 occurs.
    n_classes : int

    Raises
    ------
    ValueError
        If ``y`` is not one label for each sample.

    Examples
    --------
    >>> numbered_labels(["seel", "diglett", "seel"])
    (array([1, 0, 1]), 2)
    >>> numbered_labels([1_000_000, -3])
    (array([1, 0]), 2)
    """
    y = _names(y)
    if y.dtype.kind in "iu" and y.min() >= 0 and y.max() < 4 * len(y):
        # A third of the time of sorting.
        y = y.astype(np.int64, copy=False)
        occurs = np.bincount(y) > 0
        return (y if occurs.all() else (np.cumsum(occurs) - 1)[y]), int(occurs.sum())
    names, labels = np.unique(y, return_inverse=True)
    return labels.astype(np.int64, copy=False), len(names)


def label_distribution(y: ArrayLike, n_classes: int | None = None) -> NDArray[np.float64]:
    """Labels of any kind as the rows p(y|x).

    Parameters
    ----------
    y : (sample,) integers or strings, (sample,) floats or (sample, class) floats
        Class labels; or soft binary labels P(y=1|x); or soft labels whose rows sum to 1.
    n_classes : int, optional
        Number of columns; class labels then are 0 ... n_classes - 1. Default: one column for each
        class that occurs, in sorted order; or 2; or the columns of ``y``.

    Returns
    -------
    (sample, class) float64 array
        Non-negative, each row summing to 1.

    Raises
    ------
    ValueError
        If ``y`` is none of the three kinds.

    Examples
    --------
    >>> label_distribution([7, -1, 7])
    array([[0., 1.],
           [1., 0.],
           [0., 1.]])
    >>> label_distribution([0.75])
    array([[0.25, 0.75]])
    """
    found = as_array(y, "y")
    if n_classes is not None:
        _check_n_classes(n_classes)
    if found.ndim == 2 and found.dtype.kind in "biuf":
        p = _soft_rows(found)
    elif found.ndim == 1 and found.dtype.kind == "f":
        p = _soft_binary(found)
    else:
        p = _one_hot(y, n_classes)
    if n_classes is not None and p.shape[1] != n_classes:
        raise ValueError(f"y has {p.shape[1]} classes, expected n_classes = {n_classes}.")
    return p


def as_array(values: Any, name: str) -> NDArray[Any]:
    """The values as an array, or a ValueError for what is none.

    A mask would be lost in silence: masked entries are refused.
    """
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array, and a mask would be lost; leave out its masked entries."
        )
    try:
        found = np.asarray(values)
    except Exception as error:  # ragged lists, tensors that want gradients, foreign objects
        raise ValueError(f"{name} cannot be read as an array: {error}") from error
    # Of integers on both sides of 2**63 numpy makes floats.
    listed = values if found.dtype.kind == "f" and isinstance(values, list | tuple) else ()
    if len(listed) and all(isinstance(one, Integral) for one in listed):
        return np.array(values, dtype=object)
    return found


def _check_n_classes(n_classes: Any) -> None:
    whole = isinstance(n_classes, Integral) and not isinstance(n_classes, bool | np.timedelta64)
    if not whole or not 1 <= n_classes <= _MOST_ENTRIES:
        plain = isinstance(n_classes, int | float) and abs(n_classes) < 1e15
        raise ValueError(
            f"n_classes must be a whole number from 1 to {_MOST_ENTRIES}, got "
            f"{n_classes if plain else type(n_classes)}."
        )


def _one_hot(y: ArrayLike, n_classes: int | None) -> NDArray[np.float64]:
    if n_classes is None:
        labels, width = numbered_labels(y)
    else:
        labels, width = _numbers_below(y, n_classes), int(n_classes)
    if len(labels) * width > _MOST_ENTRIES:
        raise ValueError(
            f"{width} classes of {len(labels)} samples would fill "
            f"{len(labels) * width / 2**27:.1f} GiB; are the labels names of single samples, or "
            "numbers that were measured? Group them into fewer classes."
        )
    p = np.zeros((len(labels), width))
    p[np.arange(len(labels)), labels] = 1
    return p


def _numbers_below(y: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    y = _names(y)
    if y.dtype.kind not in "biu" or y.min() < 0 or y.max() >= n_classes:
        raise ValueError(
            f"class labels must lie in 0..{n_classes - 1}, got {y.min()}..{y.max()}; number them "
            "with ibcore.information.numbered_labels(y)."
        )
    return y.astype(np.int64)


def _names(y: ArrayLike) -> NDArray[Any]:
    """Class labels as an array of integers or bools, or of objects that are all of one kind."""
    found = as_array(y, "y")
    if found.ndim != 1 or found.size == 0 or found.dtype.kind not in "biuOTUS":
        raise ValueError(
            "y must be (sample,) integers or strings, (sample,) floats or (sample, class) floats, "
            f"of at least one sample; got shape {found.shape} and dtype {found.dtype}."
        )
    if found.dtype.kind in "biu":
        return found
    found = np.asarray(y, dtype=object)  # numpy turns 1 into "1" where it stands beside a text
    if not any(all(isinstance(one, kind) for one in found) for kind in _NAME_KINDS):
        raise ValueError("labels must be all integers or all strings; y mixes kinds.")
    return found


def _soft_binary(y: NDArray[Any]) -> NDArray[np.float64]:
    p = y.astype(np.float64)
    if p.size == 0 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            "float labels (sample,) are read as P(y=1|x) and must lie in [0, 1], got "
            f"{_ends(y)}; give class labels an integer dtype."
        )
    return np.column_stack([1 - p, p])


def _soft_rows(y: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        p = y.astype(np.float64)
        # float32 softmax rows sum to 1 only within float32 rounding.
        worst = np.abs(p.sum(axis=1) - 1).max(initial=0.0)
    if p.size == 0 or not ((p >= 0).all() and worst <= 1e-5):
        raise ValueError(
            "float labels (sample, class) must be non-negative rows with sum 1, got "
            f"{_ends(p)} and a row that misses 1 by {worst:.6g}."
        )
    return p


def _ends(values: NDArray[Any]) -> str:
    return f"values from {values.min():.6g} to {values.max():.6g}" if values.size else "none"


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
