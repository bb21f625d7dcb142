"""Labels of any kind as numbers, and as a distribution over classes for every sample."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST_ENTRIES = 2**27  # of a table (sample, class): 1 GiB
_NAME_KINDS = (str, bytes, Integral)


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
            "with ibcore.labels.numbered_labels(y)."
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
