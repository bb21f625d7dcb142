"""Nearest-neighbour estimates, for continuous variables with a density.

A deterministic layer on a finite set of inputs has none: its I(X;T) is infinite or log2 N, and
what these formulas then return moves with the scale of the layer. They are functions, not rulers,
so that nobody plots them in an information plane by accident. All results are in bits.

Equal rows have distance 0, whose logarithm does not exist; ``jitter`` adds Gaussian noise of that
standard deviation, and the result then depends on it.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from scipy.special import digamma, gammaln

_LN2 = np.log(2)


def differential_entropy(t: ArrayLike, k: int = 3, jitter: float = 0.0) -> float:
    """h(T) in bits from the distance to the k-th neighbour (Kozachenko & Leonenko 1987).

    ψ(N) - ψ(k) + ln V_d + d/N Σ ln ε_i with Euclidean distances.

    Parameters
    ----------
    t : (sample, unit) array
    k : int
    jitter : float

    Raises
    ------
    ValueError
        If k neighbours do not exist or some lie at distance 0.
    """
    t = _points(t, k, jitter)
    n, d = t.shape
    distance = cKDTree(t).query(t, k + 1)[0][:, -1]
    if not (distance > 0).all():
        raise ValueError(
            f"{np.sum(distance == 0)} of {n} rows equal their neighbours, so that the density does "
            "not exist; remove duplicates, or give a jitter and say so."
        )
    ball = d / 2 * np.log(np.pi) - gammaln(d / 2 + 1)
    return float((digamma(n) - digamma(k) + ball + d * np.log(distance).mean()) / _LN2)


def mutual_information(x: ArrayLike, t: ArrayLike, k: int = 3, jitter: float = 0.0) -> float:
    """I(X;T) in bits of two continuous variables (Kraskov, Stögbauer & Grassberger 2004, eq. 8).

    ψ(k) + ψ(N) - ⟨ψ(n_x + 1) + ψ(n_t + 1)⟩ with the maximum norm; it depends on how x and t are
    scaled against each other.
    """
    x, t = _points(x, k, jitter), _points(t, k, jitter)
    if len(x) != len(t):
        raise ValueError(f"need as many rows of x as of t, got {len(x)} and {len(t)}.")
    distance = cKDTree(np.concatenate([x, t], axis=1)).query(
        np.concatenate([x, t], axis=1), k + 1, p=np.inf
    )[0][:, -1]
    reach = np.nextafter(distance, 0)  # strictly nearer than the k-th neighbour
    n_x, n_t = (
        cKDTree(one).query_ball_point(one, reach, p=np.inf, return_length=True) for one in (x, t)
    )
    # both counts hold the point itself: n + 1
    found = digamma(k) + digamma(len(x)) - (digamma(n_x) + digamma(n_t)).mean()
    return float(found / _LN2)


def label_information(t: ArrayLike, y: ArrayLike, k: int = 3, jitter: float = 0.0) -> float:
    """I(T;Y) in bits of a continuous T and integer labels (Ross 2014, eq. 4).

    ψ(N) - ⟨ψ(N_y)⟩ + ψ(k) - ⟨ψ(m)⟩, where m samples of any label lie as near as the k-th of the
    same label. Every class needs more than k samples.
    """
    t, y = _points(t, k, jitter), np.asarray(y)
    if y.shape != (len(t),) or y.dtype.kind not in "iub":
        raise ValueError(f"y must be one integer label for each of the {len(t)} rows.")
    classes, counts = np.unique(y, return_counts=True)
    if counts.min() <= k:
        small = classes[counts.argmin()]
        raise ValueError(f"class {small} has {counts.min()} samples; k={k} needs {k + 1}.")
    reach = np.empty(len(t))
    for label in classes:
        own = t[y == label]
        reach[y == label] = cKDTree(own).query(own, k + 1)[0][:, -1]
    m = cKDTree(t).query_ball_point(t, np.nextafter(reach, np.inf), return_length=True) - 1
    n_y = counts[np.searchsorted(classes, y)]
    found = digamma(len(t)) - digamma(n_y).mean() + digamma(k) - digamma(m).mean()
    return float(found / _LN2)


def _points(t, k, jitter):
    t = np.array(t, np.float64)
    t = t[:, None] if t.ndim == 1 else t
    if t.ndim != 2 or not 1 <= k < len(t):
        raise ValueError(
            f"t must be (sample, unit) with more than k={k} samples and k at least 1; got shape "
            f"{t.shape}."
        )
    if not np.isfinite(t).all():
        raise ValueError("the values must be finite; some are NaN or infinite.")
    return t + jitter * np.random.default_rng(0).normal(size=t.shape) if jitter else t
