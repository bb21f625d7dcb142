"""How the points of a layer lie: scatter within and between classes, angles, distances, dimension.

All functions take t (sample, unit) and integer labels y (sample,), and compute in float64.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ibcore.estimators.counting import checked_layer

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


def _checked(t, y):
    t = checked_layer(t).astype(np.float64)
    y = np.asarray(y)
    if y.shape != (len(t),) or y.dtype.kind not in "iub":
        raise ValueError(
            f"y must be one integer label for each of the {len(t)} rows, got {y.dtype} of shape "
            f"{y.shape}."
        )
    return t, np.unique(y, return_inverse=True)[1]


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
    t, y = _checked(t, y)
    n_classes = y.max() + 1
    share = np.bincount(y) / len(y)
    means = np.stack([t[y == c].mean(axis=0) for c in range(n_classes)])
    inner = t - means[y]
    outer = means - t.mean(axis=0)
    s_w = inner.T @ inner / len(t)
    s_b = (outer * share[:, None]).T @ outer
    log_det = np.log2(np.linalg.eigvalsh(s_w) + floor).sum()
    # without a distance between means nothing has collapsed: the pseudo-inverse would say 0
    apart = np.trace(s_b) > 1e-24 * np.square(t).mean()
    collapse = np.trace(s_w @ np.linalg.pinv(s_b)) / n_classes if apart else np.nan
    return Scatter(float(np.trace(s_w)), float(np.trace(s_b)), float(collapse), float(log_det))


def cosines(t: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """Mean cosine of the angle between two samples of one class, and of two classes.

    Pairs of a sample with itself do not count; a row of zeros has the cosine 0 with all others.
    """
    t, y = _checked(t, y)
    length = np.linalg.norm(t, axis=1, keepdims=True)
    unit = np.divide(t, length, out=np.zeros_like(t), where=length > 0)
    # the sum over all pairs of a set is the square of the length of its sum
    sums = np.stack([unit[y == c].sum(axis=0) for c in range(y.max() + 1)])
    counts = np.bincount(y)
    own = (unit**2).sum()
    same = (sums**2).sum() - own
    every = (sums.sum(axis=0) ** 2).sum() - own
    n_same = (counts * (counts - 1.0)).sum()
    n_other = len(t) * (len(t) - 1.0) - n_same
    within = same / n_same if n_same else np.nan
    return float(within), float((every - same) / n_other) if n_other else np.nan


def participation_ratio(t: ArrayLike) -> float:
    """(Σ λ)² / Σ λ² over the eigenvalues of the covariance: how many directions share the variance.

    From 1 to the number of units; 0 for a layer that does not vary.
    """
    t = checked_layer(t).astype(np.float64)
    covariance = np.cov(t, rowvar=False, bias=True).reshape(t.shape[1], -1)
    square = (covariance**2).sum()
    return float(np.trace(covariance) ** 2 / square) if square > 0 else 0.0


def distance_histograms(
    t: ArrayLike, y: ArrayLike, edges: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Counts of the distances of all pairs within classes and between classes.

    Parameters
    ----------
    edges : (bin + 1,) array
        Increasing; as in ``numpy.histogram`` the last bin is closed and the rest left-closed.

    Returns
    -------
    within, between : (bin,) integer arrays
    """
    t, y = _checked(t, y)
    edges = np.asarray(edges, np.float64)
    counts = np.zeros((2, len(edges) - 1), np.int64)
    for start in range(0, len(t), ROWS_AT_ONCE):
        block = t[start : start + ROWS_AT_ONCE]
        square = sum((block[:, None, u] - t[None, start:, u]) ** 2 for u in range(t.shape[1]))
        later = np.arange(len(block))[:, None] < np.arange(len(t) - start)[None]
        same = y[start : start + ROWS_AT_ONCE, None] == y[None, start:]
        distance = np.sqrt(square)
        for which, chosen in enumerate((later & same, later & ~same)):
            counts[which] += np.histogram(distance[chosen], edges)[0]
    return counts[0], counts[1]
