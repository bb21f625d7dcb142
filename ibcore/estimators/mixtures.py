"""Ratios of Gaussian mixtures at points drawn from them: what sample propagation integrates.

Every input x is a mixture p(t|x) of unit Gaussians around its modes, one for each replica; p(t) and
p(t|y) are mixtures of these. A mode far from the point adds nothing, so an input whose box of modes
lies farther away than ``NEGLIGIBLE`` allows is skipped as a whole.
"""

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ibcore.simd import COMPILED, LANES, decay, fill, fma, load, total

FAR = 1e9  # where the places stand that fill up a vector, or farther if modes reach as far
NEGLIGIBLE = 25.0  # modes of an input that add less than e^-25 of the mixture are skipped


def propagate(
    s: np.ndarray,
    p: NDArray[np.float64],
    replicas: ArrayLike,
    noise: np.ndarray,
    dtype: type = np.float32,
    rows: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """ln p(t|x)/p(t) and Σ_y p(y|x) ln p(t|y)/p(t) at every point, in nats.

    In float32 a kernel is off by 1e-4 at most, the ratios of sums by far less.

    Parameters
    ----------
    s : (replica, sample, unit) array
        Modes, in units of the noise's standard deviation.
    p : (sample, class) array
        P(y|x).
    replicas : (point,) array
        Around which replica of its input each point is drawn.
    noise : (row, point, unit) array
    rows : (row,) integer array, optional
        The inputs around which points are drawn; all of them by default.

    Returns
    -------
    (row, point, 2) array
    """
    rows = np.arange(s.shape[1]) if rows is None else rows
    n_replicas, n_samples, n_units = s.shape
    width = -(-n_replicas // LANES) * LANES
    modes = np.full((n_samples, n_units, width), max(FAR, 4 * np.abs(s).max()), dtype)
    modes[:, :, :n_replicas] = s.transpose(1, 2, 0)
    found = np.empty((*noise.shape[:2], 2))
    # boxes of the modes as rounded
    low, high = modes[:, :, :n_replicas].min(axis=2), modes[:, :, :n_replicas].max(axis=2)
    cut = 2 * (NEGLIGIBLE + np.log(n_samples * n_replicas))
    flat, prior, around = modes.reshape(-1), p.sum(axis=0), np.asarray(replicas)
    _propagate(flat, width, low, high, p, prior, around, rows, noise, cut, found)
    return found


@njit(**COMPILED)
def _propagate(
    modes: np.ndarray,
    width: int,
    low: np.ndarray,
    high: np.ndarray,
    p: NDArray[np.float64],
    prior: NDArray[np.float64],
    replicas: NDArray[np.int64],
    rows: NDArray[np.int64],
    noise: np.ndarray,
    cut: float,
    found: NDArray[np.float64],
) -> None:
    n_rows, n_points, n_units = noise.shape
    n_samples = len(p)
    n_classes = p.shape[1]
    t = np.empty(n_units, modes.dtype)
    classes = np.empty(n_classes)
    for row in range(n_rows):
        x = rows[row]
        for point in range(n_points):
            length = 0.0
            for u in range(n_units):
                z = noise[row, point, u]
                t[u] = modes[(x * n_units + u) * width + replicas[point]] + z
                length += z * z
            own = every = 0.0
            classes[:] = 0
            for other in range(n_samples):
                gap = 0.0
                for u in range(n_units):
                    d = max(low[other, u] - t[u], t[u] - high[other, u], 0.0)
                    gap += d * d
                if gap > cut + length:
                    continue
                a = fill(0.0, modes)
                for r in range(0, width, LANES):
                    square = fill(0.0, modes)
                    for u in range(n_units):
                        d = load(modes, (other * n_units + u) * width + r) - t[u]
                        square = fma(d, d, square)
                    # relative to the mode the point starts from: in a wide layer every kernel
                    # alone lies below the least value of ``decay``
                    a = a + decay((square - length) * -0.5)
                near = total(a)
                every += near
                if other == x:
                    own = near
                for c in range(n_classes):
                    classes[c] += p[other, c] * near
            found[row, point, 0] = np.log(own * n_samples / every)
            gain = 0.0
            for c in range(n_classes):
                if p[x, c] > 0:
                    gain += p[x, c] * np.log(classes[c] * n_samples / (prior[c] * every))
            found[row, point, 1] = gain


def propagate_by_hand(
    s: np.ndarray, p: NDArray[np.float64], replicas: ArrayLike, noise: np.ndarray
) -> NDArray[np.float64]:
    """The readable twin of ``propagate``: every mode, log-sum-exp by hand."""
    found = np.empty((*noise.shape[:2], 2))
    for x in range(s.shape[1]):
        for point, replica in enumerate(np.asarray(replicas)):
            t = s[replica, x] + noise[x, point]
            log_k = -((s - t) ** 2).sum(axis=-1) / 2  # (replica, sample)
            k = np.exp(log_k - log_k.max())
            p_t, p_t_given_x = k.mean(), k[:, x].mean()
            p_t_given_y = (k.mean(axis=0) @ p) / p.sum(axis=0)
            some = p[x] > 0
            found[x, point] = (
                np.log(p_t_given_x / p_t),
                p[x, some] @ np.log(p_t_given_y[some] / p_t),
            )
    return found
