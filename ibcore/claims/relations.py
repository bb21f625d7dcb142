"""How numbers go together over points or networks: ranks, partial correlations, slopes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def spearman(x: ArrayLike, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank correlation of x (point,) with every row of y (row, point); 0 where y has no order."""
    a = rankdata(x) - (len(np.asarray(x)) + 1) / 2
    b = rankdata(y, axis=-1)
    b -= b.mean(axis=-1, keepdims=True)
    return _ratio(b @ a, np.sqrt((a**2).sum() * (b**2).sum(axis=-1)))


def partial_correlation(
    sample: NDArray[np.float64], *, within: bool = False
) -> NDArray[np.float64]:
    """Correlation of x with y given z, over networks, for every resample.

        r = (s_xy - s_xz s_yz / s_zz) / sqrt((s_xx - s_xz²/s_zz) (s_yy - s_yz²/s_zz))

    Parameters
    ----------
    sample : (resample, seed, stratum, 3) array
        x, y, z of every network; NaN where there is none.
    within : bool
        Take the means within each stratum, which holds the stratum constant.
    """
    present = np.isfinite(sample).all(axis=-1, keepdims=True)
    axes = (1,) if within else (1, 2)
    count = present.sum(axis=axes, keepdims=True)
    filled = np.where(present, sample, 0.0)
    mean = filled.sum(axis=axes, keepdims=True) / np.maximum(count, 1)
    centred = np.where(present, sample - mean, 0.0).reshape(len(sample), -1, 3)
    # A constant minus its mean leaves rounding, which has correlations of its own.
    size = (filled**2).sum(axis=(1, 2))[:, None]
    centred *= (centred**2).sum(axis=1, keepdims=True) > 1e-20 * size
    s = np.einsum("rni,rnj->rij", centred, centred)
    sxx, syy, szz = s[:, 0, 0], s[:, 1, 1], s[:, 2, 2]
    sxy, sxz, syz = s[:, 0, 1], s[:, 0, 2], s[:, 1, 2]
    top = sxy - _ratio(sxz * syz, szz)
    left, right = sxx - _ratio(sxz**2, szz), syy - _ratio(syz**2, szz)
    # What rounding leaves of a variance that z explains in full is no variance.
    left, right = np.where(left > 1e-9 * sxx, left, 0.0), np.where(right > 1e-9 * syy, right, 0.0)
    return _ratio(top, np.sqrt(left * right))


def left_out_r2(x: ArrayLike, y: ArrayLike, groups: ArrayLike) -> float:
    """Share of the variance of y that a linear model explains in groups it has not seen.

    Each group is predicted from the least-squares fit to all others; at most 1, negative where the
    prediction is worse than the mean of y.

    Parameters
    ----------
    x : (point, feature) array
    y, groups : (point,) arrays

    Examples
    --------
    >>> left_out_r2([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0], list("abcd"))
    1.0
    """
    known, names = np.asarray(y, float), np.asarray(groups)
    design = np.column_stack([np.ones(len(known)), np.asarray(x, float)])
    predicted = np.empty(len(known))
    for name in np.unique(names):
        out = names == name
        predicted[out] = design[out] @ np.linalg.lstsq(design[~out], known[~out])[0]
    lost = ((known - predicted) ** 2).sum() / ((known - known.mean()) ** 2).sum()
    return float(round(1 - lost, 12))


def slope(x: NDArray[np.float64], y: NDArray[np.float64], *, least: int = 3) -> NDArray[np.float64]:
    """Least-squares slope of y (row, point) on x (point,), over the points where y is finite.

    NaN where fewer than ``least`` points are finite.
    """
    there = np.isfinite(y)
    n = there.sum(axis=-1, keepdims=True)
    safe = np.maximum(n, 1)
    dx = np.where(there, x - np.where(there, x, 0).sum(axis=-1, keepdims=True) / safe, 0.0)
    found = _ratio((dx * np.where(there, y, 0.0)).sum(axis=-1), (dx**2).sum(axis=-1))
    return np.where(n[..., 0] >= least, found, np.nan)


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide, giving 0 where b is 0: without variation there is no correlation."""
    return np.divide(a, b, out=np.zeros_like(np.asarray(a, dtype=float)), where=b > 0)
