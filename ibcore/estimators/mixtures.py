"""Ratios of Gaussian mixtures at points drawn from them: what sample propagation integrates.

Every input x is a mixture p(t|x) of unit Gaussians around its modes, one for each replica; p(t) and
p(t|y) are mixtures of these. Three things keep that cheap:

- A mode far from the point adds nothing, so an input whose box of modes lies farther away than
  ``NEGLIGIBLE`` allows is skipped as a whole.
- Where many inputs are near, some replicas of each say what all of them say. The point's own input
  counts with all its replicas, the others with the first M in random order, and M doubles until the
  relative variance v of the sum, known from the scatter of its kernels, is below ``TOLERATED``. To
  first order the error of the logarithm vanishes in the mean over points, because the thinned
  mixture integrates to 1 as the whole one does; to second order it is -v/2, which is added back.
- Sums run along replicas, with the vectors of ``ibcore.simd``.
"""

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ibcore.randomness import generator, shuffled
from ibcore.simd import COMPILED, LANES, decay, fill, fma, larger, load, total

FAR = 1e9  # where the places stand that fill up a vector, or farther if modes reach as far
NEGLIGIBLE = 16.0  # inputs that together add less than e^-16 of p(t|x) are skipped
TOLERATED = 0.02  # relative variance of a thinned sum
FLOOR = 1e-18  # kernels are raised to this before they are squared: no subnormal numbers
LEAST_MODES = 2**16  # a sum over fewer modes is not thinned


def propagate(
    s: np.ndarray,
    p: NDArray[np.float64],
    replicas: ArrayLike,
    noise: np.ndarray,
    dtype: type = np.float32,
    rows: NDArray[np.int64] | None = None,
    tolerated: float = TOLERATED,
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
    tolerated : float
        Relative variance of thinned sums; 0: every replica of every input that is near.

    Returns
    -------
    (row, point, 2) array
    """
    rows = np.arange(s.shape[1]) if rows is None else rows
    n_replicas, n_samples, n_units = s.shape
    mixed = shuffled(np.arange(n_replicas), generator(0, "data"))
    lowest, highest = s.min(axis=0), s.max(axis=0)
    modes = np.empty(-(-n_replicas // LANES) * LANES * n_samples * n_units, dtype)
    _arrange(s, mixed, max(FAR, 4 * max(highest.max(), -lowest.min())), modes)
    # boxes of the modes as rounded
    low, high = (edge.astype(dtype).T.copy() for edge in (lowest, highest))
    found = np.empty((*noise.shape[:2], 2))
    starts = s[np.asarray(replicas)][:, rows].astype(dtype)
    _propagate(
        modes, n_replicas, starts, low, high, p, p.sum(axis=0), rows, noise, tolerated, found
    )
    return found


def gaussian_gain(
    s: np.ndarray, replicas: ArrayLike, noise: np.ndarray, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What ln p(t|x)/p(t) would be if both were Gaussians, less its expectation given x.

    Gaussians with the moments of the mixtures: a control variate, whose mean over replicas and
    noise is 0 exactly.

    Parameters
    ----------
    s, replicas, noise, rows
        As in ``propagate``.

    Returns
    -------
    (row, point) array, in nats
    """
    n_units = s.shape[2]
    s = s if len(rows) == s.shape[1] else s[:, rows]
    means = s.mean(axis=0, dtype=np.float64)
    covariances = np.empty((len(rows), n_units, n_units))
    away = np.empty(noise.shape)  # of the points, from the means
    for first in range(0, len(rows), 128):
        some = slice(first, first + 128)
        centred = (s[:, some] - means[some]).transpose(1, 0, 2)
        covariances[some] = np.eye(n_units) + centred.mT @ centred / len(s)
        away[some] = centred[:, np.asarray(replicas)] + noise[some]
    gain = n_units / 2 - _squares(away, np.linalg.inv(covariances)) / 2
    centres = means - means.mean(axis=0)
    whole = covariances.mean(axis=0) + centres.T @ centres / len(rows)
    precision = np.linalg.inv(whole)
    expected = (
        _squares(centres[:, None], precision) + (covariances * precision).sum(axis=(1, 2))[:, None]
    )
    return gain + (_squares(away + centres[:, None], precision) - expected) / 2


def _squares(points: NDArray[np.float64], precision: np.ndarray) -> NDArray[np.float64]:
    """x^T P x of points (row, point, unit)."""
    return ((points @ precision) * points).sum(axis=-1)


@njit(**COMPILED)
def _arrange(s: np.ndarray, mixed: NDArray[np.int64], far: float, modes: np.ndarray) -> None:
    """Modes in the order in which they are read: level, input, chunk of LANES replicas, unit.

    The first level has one chunk, and so has the second; each further one has as many as all before
    it. Places that no replica fills are far away.
    """
    n_replicas, n_samples, n_units = s.shape
    n_chunks = -(-n_replicas // LANES)
    first, size = 0, 1
    while first < n_chunks:
        for x in range(n_samples):
            for chunk in range(size):
                at = (first * n_samples + x * size + chunk) * n_units * LANES
                for lane in range(LANES):
                    r = (first + chunk) * LANES + lane
                    for u in range(n_units):
                        mode = s[mixed[r], x, u] if r < n_replicas else far
                        modes[at + u * LANES + lane] = mode
        first += size
        size = min(first, n_chunks - first)


@njit(**COMPILED)
def _propagate(
    modes: np.ndarray,
    n_replicas: int,
    starts: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    p: NDArray[np.float64],
    prior: NDArray[np.float64],
    rows: NDArray[np.int64],
    noise: np.ndarray,
    tolerated: float,
    found: NDArray[np.float64],
) -> None:
    n_rows, n_points, n_units = noise.shape
    n_samples, n_classes = p.shape
    n_chunks = -(-n_replicas // LANES)
    t = np.empty(n_units, modes.dtype)
    gaps = np.empty(n_samples, modes.dtype)
    near = np.empty(n_samples, np.int64)
    # of all, then of each class: sums of kernels, and the variances of these sums
    sums, spread, ignored = np.zeros(n_classes + 1), np.zeros(n_classes + 1), np.zeros(1)
    for row in range(n_rows):
        x = rows[row]
        for point in range(n_points):
            length = 0.0
            for u in range(n_units):
                z = noise[row, point, u]
                t[u] = starts[point, row, u] + z
                length += z * z
            # kernels relative to that of the mode the point starts from: in a wide layer each
            # alone lies below the least value of ``decay``
            near[0], sums[0] = x, 0
            first, size = 0, 1
            while first < n_chunks:
                _add(modes, first, size, near[:1], t, length, p[:, :0], sums[:1], ignored)
                first += size
                size = min(first, n_chunks - first)
            own = sums[0]
            # exp((length - gap) / 2) of all others together: less than e^-NEGLIGIBLE of own
            least = np.log(own / (n_samples * n_replicas)) - NEGLIGIBLE
            _measure_gaps(low, high, t, gaps)
            n_near = 0
            for other in range(n_samples):
                near[n_near] = other
                n_near += (length - gaps[other] >= 2 * least) & (other != x)
            sums[:], spread[:] = 0, 0
            first, size, scale = 0, 1, 1.0
            while first < n_chunks:
                _add(modes, first, size, near[:n_near], t, length, p, sums, spread)
                first += size
                size = min(first, n_chunks - first)
                scale = n_replicas / min(first * LANES, n_replicas)
                enough = first * LANES * n_near >= LEAST_MODES
                if enough and _worst(own, p[x], sums, spread, scale) < tolerated:
                    break
            every, off = _whole(own, sums[0], spread[0], scale)
            found[row, point, 0] = np.log(own * n_samples / every) - off
            gain = 0.0
            for c in range(n_classes):
                if p[x, c] > 0:
                    mass, slip = _whole(p[x, c] * own, sums[c + 1], spread[c + 1], scale)
                    if mass > 0:
                        share = np.log(mass * n_samples / (prior[c] * every))
                        gain += p[x, c] * (share + slip - off)
            found[row, point, 1] = gain


@njit(**COMPILED)
def _whole(own: float, others: float, spread: float, scale: float) -> tuple[float, float]:
    """Own and all others' sum from a part of the others' replicas; half its relative variance."""
    every = own + scale * others
    square = every * every  # of a class that is all but impossible it is 0
    return every, 0.5 * scale * (scale - 1) * spread / square if square > 0 else 0.0


@njit(**COMPILED)
def _worst(
    own: float,
    p: NDArray[np.float64],
    sums: NDArray[np.float64],
    spread: NDArray[np.float64],
    scale: float,
) -> float:
    """The largest relative variance of the mixtures that the point asks for."""
    off = _whole(own, sums[0], spread[0], scale)[1]
    for c in range(len(p)):
        if p[c] > 0:
            off = max(off, _whole(p[c] * own, sums[c + 1], spread[c + 1], scale)[1])
    return 2 * off


@njit(**COMPILED)
def _measure_gaps(low: np.ndarray, high: np.ndarray, t: np.ndarray, gaps: np.ndarray) -> None:
    """Squared distance of the point from the box of every input."""
    gaps[:] = 0
    for u in range(len(t)):
        place, least, most = t[u], low[u], high[u]
        for other in range(len(gaps)):
            d = max(least[other] - place, place - most[other], t.dtype.type(0))
            gaps[other] += d * d


@njit(**COMPILED)
def _add(
    modes: np.ndarray,
    first: int,
    size: int,
    inputs: NDArray[np.int64],
    t: np.ndarray,
    length: float,
    p: NDArray[np.float64],
    sums: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> None:
    """Add the kernels of one level of some inputs to the sums, and their scatter to the spread.

    The level begins with chunk ``first`` and has ``size`` chunks.
    """
    n_samples, n_units = len(p), len(t)
    n = size * LANES
    for other in inputs:
        at = (first * n_samples + other * size) * n_units * LANES
        a = b = fill(0.0, modes)
        for _ in range(size):
            square = fill(-length, modes)
            for u in range(n_units):
                d = load(modes, at + u * LANES) - t[u]
                square = fma(d, d, square)
            k = decay(square * -0.5)
            a = a + k
            k = larger(k, FLOOR)
            b = fma(k, k, b)
            at += n_units * LANES
        near = float(total(a))
        scatter = (total(b) - near * near / n) * (n / (n - 1))
        sums[0] += near
        spread[0] += scatter
        for c in range(p.shape[1]):
            sums[c + 1] += p[other, c] * near
            spread[c + 1] += p[other, c] * p[other, c] * scatter


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
