"""The information-bottleneck curve of a finite table, by Blahut-Arimoto."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ibcore.information import entropy, mutual_information

_TINY = np.finfo(np.float64).tiny
_STILL = 1e-12
_SPLIT = 1e-3  # of the copy mixed in when annealing
_MOST_ITERATIONS = 20_000
_MOST_ENTRIES = 2**22  # of the encoders iterated at once: 32 MiB

Point = tuple[float, float]
"""I(X;T) and I(T;Y), in bits."""


def minimal_statistic(p_xy: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Merge the x with equal p(y|x): the minimal sufficient statistic S of X for Y.

    The merging is exact for the information bottleneck, as an optimal encoder cannot tell
    such x apart. Rows are compared after rounding to 12 decimals; that changes I(X;Y) by less
    than 1e-10 bits.

    Parameters
    ----------
    p_xy : (x, y) array
        Joint distribution.

    Returns
    -------
    p_sy : (s, y) array
        Joint distribution of the statistic and Y, without x of probability 0.
    statistic : (x,) integer array
        s of each x; -1 where p(x) = 0.
    """
    table = np.asarray(p_xy, dtype=np.float64)
    mutual_information(table)  # refuses what is no joint distribution
    p_x = table.sum(axis=1)
    possible = p_x > 0
    rows = np.round(table[possible] / p_x[possible, None], 12) + 0.0
    _, found = np.unique(rows, axis=0, return_inverse=True)
    p_sy = np.zeros((found.max() + 1, table.shape[1]))
    np.add.at(p_sy, found, table[possible])
    statistic = np.full(len(table), -1)
    statistic[possible] = found
    return p_sy, statistic


def ib_encoder(
    p_y_given_x: ArrayLike, p_t: ArrayLike, p_y_given_t: ArrayLike, beta: ArrayLike
) -> NDArray[np.float64]:
    """p(t|x) ∝ p(t) exp(-β D[p(y|x)‖p(y|t)]), the encoder of the self-consistent equations.

    Parameters
    ----------
    p_y_given_x : (x, y) array
    p_t : (t,) array
    p_y_given_t : (t, y) array
    beta : float
        β ≥ 0, the price of relevance. A leading axis of β, p(t) and p(y|t) is carried along.

    Returns
    -------
    (x, t) array
        Each row sums to 1.

    Examples
    --------
    At β = 0 every x is encoded alike, by p(t):

    >>> ib_encoder([[1.0, 0.0], [0.0, 1.0]], [0.25, 0.75], [[0.9, 0.1], [0.2, 0.8]], beta=0.0)
    array([[0.25, 0.75],
           [0.25, 0.75]])
    """
    price = np.asarray(beta, dtype=np.float64)[..., None, None]
    # D up to -H(Y|x), which is the same for all t and cancels when the rows are normalised.
    agreement = np.asarray(p_y_given_x) @ np.swapaxes(_log(p_y_given_t), -1, -2)
    exponent = _log(p_t)[..., None, :] + price * agreement
    q = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    return q / q.sum(axis=-1, keepdims=True)


def _log(p: ArrayLike) -> NDArray[np.float64]:
    # ln 0 as a number far below all others, so that 0 · ln 0 is 0.
    return np.log(np.maximum(p, _TINY))


def ib_curve(p_xy: ArrayLike, betas: ArrayLike, *, annealed: bool = False) -> xr.Dataset:
    """Information-bottleneck curve of a joint table, by Blahut-Arimoto.

    For each β the encoder p(t|x) that minimises I(X;T) - β I(T;Y): the three equations

        p(t|x) ∝ p(t) exp(-β D[p(y|x)‖p(y|t)]),  p(t) = Σ p(x) p(t|x),
        p(y|t) = Σ p(y|x) p(t|x) p(x) / p(t)

    are iterated until no entry of p(t|x) moves by more than 1e-12, or 20 000 times. They start
    from the encoder that copies the minimal statistic of X, and again from a slightly blurred
    copy; the better result stands. From so fine a start values of T merge as β asks and are
    never missing; the tests hold the result against a convex problem with the same optimum.

    Where the curve is straight its slope is one β, and the points jump from end to end: with
    labels that are a function of x it is min(R, H(Y)), and only its two ends are found.
    ``relevance_at`` draws the line between.

    Parameters
    ----------
    p_xy : (x, y) array
        Joint distribution. x with equal p(y|x) are merged first, which is exact.
    betas : (beta,) array
        Prices of relevance, not negative, in any order. β = 1 / slope of the curve; up to 1
        the curve stays at (0, 0).
    annealed : bool
        Try deterministic annealing too: from the smallest β up, each from the encoder of the one
        before with a little of the copy mixed in, so that values of T split as β grows; the best
        of all starts stands. Slower, and in no case of the tests better.

    Returns
    -------
    xarray.Dataset
        dim ``beta``; ``complexity`` I(X;T) and ``relevance`` I(T;Y) in bits, and ``residual``,
        the largest change of p(t|x) in the last iteration. The attributes ``information``
        I(X;Y) and ``sufficient_complexity`` H(S), in bits, are the upper end of the curve.

    Raises
    ------
    ValueError
        If ``p_xy`` is not a joint distribution or a β is negative or not finite.

    References
    ----------
    Tishby, Pereira & Bialek (1999), *The information bottleneck method*.
    Csiszár (1974), *On the computation of rate-distortion functions*.

    Examples
    --------
    A binary symmetric channel that flips one bit in ten:

    >>> curve = ib_curve([[0.45, 0.05], [0.05, 0.45]], betas=[2.0])
    >>> round(float(curve.complexity[0]), 8), round(float(curve.relevance[0]), 8)
    (0.69643273, 0.40723383)
    """
    grid = np.atleast_1d(np.asarray(betas, dtype=np.float64))
    if grid.ndim != 1 or grid.size == 0 or not (np.isfinite(grid) & (grid >= 0)).all():
        raise ValueError(f"betas must be a list of finite numbers, none negative, got {grid}.")
    p_sy, _ = minimal_statistic(p_xy)
    # Together the β share each step of numpy; in parts, so that memory stays flat.
    n_parts = -(-len(grid) * len(p_sy) ** 2 // _MOST_ENTRIES)
    parts = [_better_start(p_sy, part) for part in np.array_split(grid, max(n_parts, 1))]
    points, residual = (np.concatenate(part) for part in zip(*parts, strict=True))
    if annealed:
        others, changes = _annealed(p_sy, grid)
        better = others[:, 0] - grid * others[:, 1] < points[:, 0] - grid * points[:, 1] - _STILL
        points, residual = (
            np.where(better[:, None], others, points),
            np.where(better, changes, residual),
        )
    bits = {"units": "bits"}
    return xr.Dataset(
        {
            "complexity": ("beta", points[:, 0], {**bits, "long_name": "I(X;T)"}),
            "relevance": ("beta", points[:, 1], {**bits, "long_name": "I(T;Y)"}),
            "residual": ("beta", residual, {"long_name": "last change of p(t|x)"}),
        },
        coords={"beta": grid},
        attrs={
            "information": mutual_information(p_sy),
            "sufficient_complexity": entropy(p_sy.sum(axis=1)),
        },
    )


def squared_ib_curve(p_xy: ArrayLike, betas: ArrayLike, *, iterations: int = 20_000) -> xr.Dataset:
    """Points that maximise I(T;Y) - β I(X;T)², which also trace a straight IB curve.

    Where labels are a function of x the IB curve is the line I(T;Y) = I(X;T) up to H(Y), and no β
    of the usual Lagrangian picks a point inside. The square has its optimum at I(X;T) = 1/(2β).
    The iterations are those of the usual problem at the price 1 / (2β I(X;T)) of the moment, from a
    blurred copy of the minimal statistic.

    Parameters
    ----------
    p_xy : (x, y) array
    betas : (beta,) array
        Positive.
    iterations : int

    Returns
    -------
    xarray.Dataset
        dim ``beta``; ``complexity`` I(X;T) and ``relevance`` I(T;Y) in bits.

    References
    ----------
    Kolchinsky, Tracey & Van Kuyk (2019), *Caveats for information bottleneck in deterministic
    scenarios*, eq. 9.

    Examples
    --------
    >>> curve = squared_ib_curve([[0.5, 0.0], [0.0, 0.5]], betas=[1.0])
    >>> round(float(curve.complexity[0]), 4), round(float(curve.relevance[0]), 4)
    (0.5, 0.5)
    """
    grid = np.atleast_1d(np.asarray(betas, dtype=np.float64))
    if grid.ndim != 1 or grid.size == 0 or not (np.isfinite(grid) & (grid > 0)).all():
        raise ValueError(f"betas must be a list of positive numbers, got {grid}.")
    p_sy, _ = minimal_statistic(p_xy)
    p_s = p_sy.sum(axis=1)
    p_y_given_s = p_sy / p_s[:, None]
    n = len(p_s)
    points = []
    for beta in grid:
        encoder, price = 0.9 * np.eye(n) + 0.1 / n, None
        for _ in range(iterations):
            p_t = p_s @ encoder
            p_y_given_t = (encoder * p_s[:, None]).T @ p_y_given_s / p_t[:, None]
            complexity = mutual_information(encoder * p_s[:, None])
            wanted = 1 / (2 * beta * max(complexity, 1e-12))
            # Half way on a logarithmic scale: taken whole it oscillates where I(X;T) is small.
            price = wanted if price is None else np.sqrt(price * wanted)
            moved = ib_encoder(p_y_given_s, p_t, p_y_given_t, price)
            done = np.abs(moved - encoder).max() < 1e-13
            encoder = moved
            if done:
                break
        joint = encoder * p_s[:, None]
        points.append((mutual_information(joint), mutual_information(joint.T @ p_y_given_s)))
    complexity, relevance = np.transpose(points)
    bits = {"units": "bits"}
    return xr.Dataset(
        {"complexity": ("beta", complexity, bits), "relevance": ("beta", relevance, bits)},
        {"beta": grid},
    )


def _better_start(
    p_sy: NDArray[np.float64], betas: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (beta, 2) and last changes (beta,) from the better of two starts."""
    # Where p(y|s) has zeros an exact copy is a fixed point at every β, as no s may then join
    # the T of another; where p(y|s) is close to 0 a blurred one may hide what is rare.
    results = [_solve_ib(p_sy, betas, blur) for blur in (0.0, 0.01)]
    points = np.array([[_point(p_sy, encoder) for encoder in q] for q, _ in results])
    lagrangian = points[..., 0] - betas * points[..., 1]
    best, each = lagrangian.argmin(axis=0), np.arange(len(betas))
    return points[best, each], np.array([change for _, change in results])[best, each]


def _annealed(
    p_sy: NDArray[np.float64], betas: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (beta, 2) and last changes (beta,) with β rising from encoder to encoder."""
    p_s = p_sy.sum(axis=1)
    q, points, changes = (
        np.tile(p_s, (len(p_s), 1)),
        np.empty((len(betas), 2)),
        np.empty(len(betas)),
    )
    for place in np.argsort(betas, kind="stable"):
        start = (1 - _SPLIT) * q + _SPLIT * np.eye(len(p_s))
        found, change = _solve_ib(p_sy, betas[[place]], start=start)
        q, points[place], changes[place] = found[0], _point(p_sy, found[0]), change[0]
    return points, changes


def _solve_ib(
    p_sy: NDArray[np.float64],
    betas: NDArray[np.float64],
    blur: float = 0.0,
    start: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Iterate the self-consistent equations: encoders (beta, s, t) and their last change.

    They start from a blurred copy of s, or from an encoder (s, t).
    """
    p_s = p_sy.sum(axis=1)
    p_y_given_s = p_sy / p_s[:, None]
    if start is None:
        start = (1 - blur) * np.eye(len(p_s)) + blur * p_s
    q = np.tile(start, (len(betas), 1, 1))
    change = np.full(len(betas), np.inf)
    for _ in range(_MOST_ITERATIONS):
        moving = np.flatnonzero(change > _STILL)
        if moving.size == 0:
            break
        p_t = p_s @ q[moving]
        p_ty = np.swapaxes(q[moving], 1, 2) @ p_sy
        p_y_given_t = p_ty / np.maximum(p_t, _TINY)[..., None]
        new = ib_encoder(p_y_given_s, p_t, p_y_given_t, betas[moving])
        change[moving] = np.abs(new - q[moving]).max(axis=(1, 2))
        q[moving] = new
    return q, change


def _point(p_sy: NDArray[np.float64], encoder: NDArray[np.float64]) -> tuple[float, float]:
    """I(X;T) and I(T;Y) of an encoder (s, t)."""
    p_st = p_sy.sum(axis=1)[:, None] * encoder
    p_ty = encoder.T @ p_sy
    return mutual_information(p_st), mutual_information(p_ty)


def critical_beta(p_xy: ArrayLike) -> float:
    """β at which an encoder that ignores X stops being stable: 1 / ρ², ρ the maximal correlation.

    ρ is the second singular value of p(x,y) / √(p(x) p(y)); infinite β where X and Y are
    independent. The curve of ``ib_curve`` leaves (0, 0) here or, by a jump, earlier.

    Parameters
    ----------
    p_xy : (x, y) array
        Joint distribution.

    Examples
    --------
    A bit flipped with probability ε has 1 / (1 - 2ε)²:

    >>> round(critical_beta([[0.45, 0.05], [0.05, 0.45]]), 9)
    1.5625
    """
    p_sy, _ = minimal_statistic(p_xy)
    p_sy = p_sy[:, p_sy.any(axis=0)]
    matrix = p_sy / np.sqrt(np.outer(p_sy.sum(axis=1), p_sy.sum(axis=0)))
    singular = np.linalg.svd(matrix, compute_uv=False)
    # The first is 1; what rounding leaves of a vanishing second one is 0.
    rho = singular[1] if len(singular) > 1 and singular[1] > 1e-10 else 0.0
    return float(1 / rho**2) if rho else float("inf")


def relevance_at(curve: xr.Dataset, complexity: ArrayLike) -> NDArray[np.float64]:
    """Most I(T;Y) that I(X;T) = ``complexity`` allows: the concave hull of a curve, in bits.

    The hull also has the ends (0, 0) and (H(S), I(X;Y)) of the curve. Between the β computed
    it takes chords, which lie a little below the curve; more β bring them closer.

    Parameters
    ----------
    curve : xarray.Dataset
        From ``ib_curve``.
    complexity : array of any shape
        I(X;T) in bits, not negative. Past H(S) the answer stays I(X;Y).

    Returns
    -------
    array of the shape of ``complexity``
        Bits. A layer's gap to the curve is this minus its I(T;Y).

    Examples
    --------
    Labels that are a function of x, H(Y) = 1 bit, allow min(R, 1):

    >>> curve = ib_curve([[0.5, 0.0], [0.0, 0.5]], betas=[0.5, 2.0])
    >>> relevance_at(curve, [0.25, 1.0, 12.0]).round(12)
    array([0.25, 1.  , 1.  ])
    """
    rate = np.asarray(complexity, dtype=np.float64)
    if (rate < -1e-9).any():  # an exact 0 may come out as -1e-16
        raise ValueError(f"complexity is I(X;T) and cannot be negative, got {rate.min():.6g} bits.")
    ends = [(0.0, 0.0), (curve.attrs["sufficient_complexity"], curve.attrs["information"])]
    points = sorted([*zip(curve.complexity.values, curve.relevance.values, strict=True), *ends])
    hull: list[Point] = []
    for point in points:
        while len(hull) > 1 and _bends_up(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    x, y = np.transpose(hull)
    return np.interp(rate, x, y)


def _bends_up(a: Point, b: Point, c: Point) -> bool:
    """Whether b lies on or below the chord from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])
