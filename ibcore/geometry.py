"""How the points of a layer lie: scatter within and between classes, angles, distances, dimension.

All functions take t (sample, unit) and integer labels y (sample,), and compute in float64.
"""

from numbers import Integral
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.inputs import checked_layer

ROWS_AT_ONCE = 1024


class Scatter(NamedTuple):
    """Scatter of a layer.

    ``within`` and ``between`` are the traces of S_W and S_B, the covariances of the samples around
    their class means and of the class means around the mean; ``collapse`` is NC1,
    tr(S_W S_B^+) / C (Papyan, Han & Donoho 2020); ``log_det_within`` is log2 det of S_W.
    """

    within: float
    between: float
    collapse: float
    log_det_within: float


def _checked(t: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Points, (sample, unit), and their classes counted from 0."""
    points, labels = checked_layer(t).astype(np.float64), np.asarray(y)
    if labels.shape != (len(points),) or labels.dtype.kind not in "iub":
        raise ValueError(
            f"y must be one integer label for each of the {len(points)} rows, got {labels.dtype} "
            f"of shape {labels.shape}."
        )
    return points, np.unique(labels, return_inverse=True)[1]


def scatter(t: ArrayLike, y: ArrayLike, floor: float = 1e-12) -> Scatter:
    """Scatter within and between classes.

    Parameters
    ----------
    floor : float
        Added to the eigenvalues of S_W for its determinant, so that a dead unit does not make it 0.

    Examples
    --------
    >>> scatter([[-1.0], [1.0], [3.0], [5.0]], [0, 0, 1, 1])[:3]
    (1.0, 4.0, 0.125)
    """
    points, classes = _checked(t, y)
    n_classes = classes.max() + 1
    share = np.bincount(classes) / len(classes)
    means = np.stack([points[classes == c].mean(axis=0) for c in range(n_classes)])
    inner = points - means[classes]
    outer = means - points.mean(axis=0)
    s_w = inner.T @ inner / len(points)
    s_b = (outer * share[:, None]).T @ outer
    log_det = np.log2(np.linalg.eigvalsh(s_w) + floor).sum()
    # without a distance between means nothing has collapsed: the pseudo-inverse would say 0
    apart = np.trace(s_b) > 1e-24 * np.square(points).mean()
    collapse = np.trace(s_w @ np.linalg.pinv(s_b)) / n_classes if apart else np.nan
    return Scatter(float(np.trace(s_w)), float(np.trace(s_b)), float(collapse), float(log_det))


def cosines(t: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """Mean cosine of the angle between two samples of one class, and of two classes.

    Pairs of a sample with itself do not count; a row of zeros has the cosine 0 with all others.
    """
    points, classes = _checked(t, y)
    length = np.linalg.norm(points, axis=1, keepdims=True)
    unit = np.divide(points, length, out=np.zeros_like(points), where=length > 0)
    # the sum over all pairs of a set is the square of the length of its sum
    sums = np.stack([unit[classes == c].sum(axis=0) for c in range(classes.max() + 1)])
    counts = np.bincount(classes)
    own = (unit**2).sum()
    same = (sums**2).sum() - own
    every = (sums.sum(axis=0) ** 2).sum() - own
    n_same = (counts * (counts - 1.0)).sum()
    n_other = len(points) * (len(points) - 1.0) - n_same
    within = same / n_same if n_same else np.nan
    return float(within), float((every - same) / n_other) if n_other else np.nan


def participation_ratio(t: ArrayLike) -> float:
    """(Σ λ)² / Σ λ² over the eigenvalues of the covariance: how many directions share the variance.

    From 1 to the number of units; 0 for a layer that does not vary.
    """
    points = checked_layer(t).astype(np.float64)
    covariance = np.cov(points, rowvar=False, bias=True).reshape(points.shape[1], -1)
    square = (covariance**2).sum()
    return float(np.trace(covariance) ** 2 / square) if square > 0 else 0.0


def distance_histograms(
    t: ArrayLike, y: ArrayLike, edges: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts of the distances of all pairs within classes and between classes.

    Parameters
    ----------
    edges : (bin + 1,) array
        Increasing; as in ``numpy.histogram`` the last bin is closed and the rest left-closed.

    Returns
    -------
    within, between : (bin,) integer arrays
    """
    points, classes = _checked(t, y)
    bounds = np.asarray(edges, np.float64)
    counts = np.zeros((2, len(bounds) - 1), np.int64)
    for start in range(0, len(points), ROWS_AT_ONCE):
        block, rest = points[start : start + ROWS_AT_ONCE], points[start:]
        square = np.zeros((len(block), len(rest)))
        for u in range(points.shape[1]):
            square += (block[:, None, u] - rest[None, :, u]) ** 2
        later = np.arange(len(block))[:, None] < np.arange(len(rest))[None]
        same = classes[start : start + ROWS_AT_ONCE, None] == classes[None, start:]
        distance = np.sqrt(square)
        for which, chosen in enumerate((later & same, later & ~same)):
            counts[which] += np.histogram(distance[chosen], bounds)[0]
    return counts[0], counts[1]


class Lengths(NamedTuple):
    """Lengths of a layer at the scale of a ruler.

    ``log_distance`` is the mean over samples of log2 of the Euclidean distance to the k-th nearest
    other sample of the same class; ``close_pairs`` the share of pairs of one class that differ by
    less than the width of a bin in every unit.
    """

    log_distance: float
    close_pairs: float


def lengths(
    t: ArrayLike, y: ArrayLike, k: int = 20, width: float = 2 / 30, floor: float = 2.0**-24
) -> Lengths:
    """Distances between neighbours of one class, which a covariance does not see.

    Samples of a class with no more than k others have no k-th neighbour and do not count; where
    no class has more, or no class has a pair, the number is NaN.

    Parameters
    ----------
    k : int
        Neighbour whose distance counts.
    width : float
        Of a bin, in units of the activation; pairs must differ by less.
    floor : float
        Distances below count as this one, 2^-24 or about the spacing of float32 at 1, as equal
        rows have no logarithm.

    Examples
    --------
    Steps of a quarter: the second neighbour is a half away at the ends, else a quarter.

    >>> lengths(np.arange(4)[:, None] / 4, [0, 0, 0, 0], k=2, width=0.3)
    Lengths(log_distance=-1.5, close_pairs=0.5)
    """
    points, classes = _checked(t, y)
    if not (isinstance(k, Integral) and not isinstance(k, bool) and k >= 1):
        raise ValueError(f"k must be an integer of at least 1, got {k!r}.")
    for name, value in (("width", width), ("floor", floor)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be positive and finite, got {value!r}.")
    order = np.argsort(classes, kind="stable")
    counts = np.bincount(classes)
    ends = np.cumsum(counts)
    with np.errstate(over="ignore"):
        columns = np.ascontiguousarray(points[order].T)
        square, n_close = _neighbours(columns, ends - counts, ends, int(k), float(width))
    near = np.maximum(np.sqrt(square[np.repeat(counts > k, counts)]), floor)
    n_pairs = (counts * (counts - 1) // 2).sum()
    return Lengths(
        float(np.log2(near).mean()) if len(near) else np.nan,
        float(n_close / n_pairs) if n_pairs else np.nan,
    )


@numba.njit(cache=True, nogil=True)
def _neighbours(
    points: NDArray[np.float64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    k: int,
    width: float,
) -> tuple[NDArray[np.float64], int]:
    """(sample,) squared distance to the k-th neighbour within a block, infinite without one.

    And how many pairs within blocks differ by less than ``width`` in every unit. ``points`` is
    (unit, sample): of one sample the distances to all later ones are formed together.
    """
    d, n = points.shape
    nearest = np.full((n, k), np.inf)  # of each sample, in increasing order
    square, widest = np.empty(n), np.empty(n)
    n_close = 0
    for block in range(len(starts)):
        end = ends[block]
        for i in range(starts[block], end):
            square[i + 1 : end] = 0.0
            widest[i + 1 : end] = 0.0
            for u in range(d):
                here = points[u, i]
                for j in range(i + 1, end):
                    step = abs(here - points[u, j])
                    square[j] += step * step
                    widest[j] = max(widest[j], step)
            for j in range(i + 1, end):
                n_close += widest[j] < width
                if square[j] < nearest[i, k - 1]:
                    _insert(nearest[i], square[j])
                if square[j] < nearest[j, k - 1]:
                    _insert(nearest[j], square[j])
    return nearest[:, k - 1], n_close


@numba.njit(cache=True, nogil=True)
def _insert(row: NDArray[np.float64], value: float) -> None:
    """Put a value in its place in an increasing row, whose last one goes."""
    place = len(row) - 1
    while place > 0 and row[place - 1] > value:
        row[place] = row[place - 1]
        place -= 1
    row[place] = value
