"""Which law a process follows: slopes that have to predict those they were not fitted to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def held_out_error(x: ArrayLike, y: ArrayLike, least: int) -> Array:
    """Root mean square error of each network's y, from the slope on x of all other networks.

        eᵢ = rms over points of (yᵢ - ȳᵢ) - b (xᵢ - x̄ᵢ),  b from the networks other than i

    Every network has a level of its own.

    Parameters
    ----------
    x : (point,) array
        The same for all networks.
    y : (network, point) array
        Points that are not finite are left out.
    least : int
        Networks with fewer finite points have no error and do not count.

    Returns
    -------
    (network,) array
        In the unit of y; NaN where there are too few points.

    Examples
    --------
    Three networks on parallel lines predict each other:

    >>> y = np.add.outer([0.0, 1.0, 5.0], 2 * np.arange(4.0))
    >>> held_out_error(np.arange(4.0), y, least=2)
    array([0., 0., 0.])
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    there = np.isfinite(y) & (np.isfinite(y).sum(axis=1, keepdims=True) >= least)
    count = there.sum(axis=1)
    dx, dy = (_centred(np.broadcast_to(one, y.shape), there) for one in (x, y))
    xy, xx = (dx * dy).sum(axis=1), (dx**2).sum(axis=1)
    above, below = xy.sum() - xy, xx.sum() - xx
    b = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    lost = ((dy - b[:, None] * dx) ** 2).sum(axis=1)
    return np.where(count > 0, np.sqrt(lost / np.maximum(count, 1)), np.nan)


def first_time(times: ArrayLike, values: ArrayLike, level: float) -> float:
    """Time at which a curve first reaches a level; NaN if it never does.

    Straight lines between the times that are given.

    Examples
    --------
    >>> first_time([0, 10, 20], [1.0, 3.0, 2.0], level=2.0), first_time([0, 10], [1.0, 2.0], 3.0)
    (5.0, nan)
    """
    times, values = (np.asarray(one, dtype=np.float64) for one in (times, values))
    there = values >= level
    if not there.any():
        return float("nan")
    k = int(there.argmax())
    if k == 0:
        return float(times[0])
    return float(np.interp(level, values[k - 1 : k + 1], times[k - 1 : k + 1]))


def _centred(values: Array, there: NDArray[np.bool_]) -> Array:
    """Minus the mean of each row; 0 where nothing is there."""
    kept = np.where(there, values, 0.0)
    mean = kept.sum(axis=1, keepdims=True) / np.maximum(there.sum(axis=1, keepdims=True), 1)
    return np.where(there, kept - mean, 0.0)
