"""Nearest-neighbour estimates, for variables that are continuous, discrete or both. Bits.

A deterministic layer on a finite set of inputs has no density: its I(X;T) is infinite or log2 N,
and what these formulas then return moves with the scale of the layer. They are functions, not
rulers, so that nobody plots them in an information plane by accident.

**Ties.** Information looks at a ball around every sample: all samples that lie strictly nearer
than its k-th neighbour, or, where the k-th neighbour is an equal row, all equal rows. The sample
itself is counted in. So a discrete variable needs no jitter: ReLU's zeros are one symbol. Entropy
has no such way out, as a density does not exist where rows are equal, and it refuses them.

``jitter`` adds Gaussian noise of that standard deviation, and the result then depends on it.
``norm``, "max" or "euclidean", measures distances inside x and inside t; a pair (x, t) is always
as far away as the larger of the two.
"""

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from scipy.special import digamma, gammaln

_LN2 = np.log(2)
_ORDER = {"max": np.inf, "euclidean": 2.0}
# Squares of what lies between can be formed in float64, and so can distances.
_SMALLEST, _LARGEST = 1e-150, 1e150
_PAIRS_AT_ONCE = 2_000_000
# Seeds of jitter. Published entropies were computed with 0; another seed is a better one, as data
# made by a reader's own default_rng(0) would be jittered with the very numbers they consist of.
_ENTROPY_SEED, _SEED = 0, 20170912


def differential_entropy(
    t: ArrayLike, k: int = 3, jitter: float = 0.0, norm: str = "euclidean"
) -> float:
    """h(T) in bits from the distance to the k-th neighbour (Kozachenko & Leonenko 1987).

    ψ(N) - ψ(k) + ln V_d + d/N Σ ln ε_i

    with ε_i the distance from sample i to its k-th neighbour and V_d the volume of the unit ball,
    π^(d/2) / Γ(d/2 + 1) in the Euclidean norm and 2^d in the maximum norm.

    Parameters
    ----------
    t : (sample, unit) array
    k : int
    jitter : float
    norm : {"euclidean", "max"}

    Raises
    ------
    ValueError
        If k neighbours do not exist or some lie at distance 0.

    Examples
    --------
    A uniform variable on [0, 8] has 3 bits:

    >>> t = 8 * np.random.default_rng(0).random(10_000)
    >>> round(differential_entropy(t), 1)
    3.0
    """
    k, order = _settings(k, norm)
    (t,) = _points({"t": t}, k, jitter, seed=_ENTROPY_SEED)
    n, d = t.shape
    distance = cKDTree(t).query(t, k + 1, p=order)[0][:, -1]
    if not (distance > 0).all():
        raise ValueError(
            f"{np.sum(distance == 0)} of {n} rows equal their neighbours, so that the density does "
            "not exist; remove duplicates, or give a jitter and say so."
        )
    ball = d * _LN2 if norm == "max" else d / 2 * np.log(np.pi) - gammaln(d / 2 + 1)
    return float((digamma(n) - digamma(k) + ball + d * np.log(distance).mean()) / _LN2)


def mutual_information(
    x: ArrayLike, t: ArrayLike, k: int = 3, jitter: float = 0.0, norm: str = "max"
) -> float:
    """I(X;T) in bits of variables that are continuous, discrete or mixed (Gao et al. 2017).

    ψ(N) + ⟨ψ(k̃) - ψ(n_x) - ψ(n_t)⟩

    where k̃, n_x and n_t are the samples in the ball of this module's first lines, whose pair
    (x, t), whose x, whose t lies in it, the centre included. Without ties k̃ = k and this is
    Kraskov, Stögbauer & Grassberger 2004, eq. 8, whose ψ(n + 1) does not count the centre. Where
    all is discrete it is H(X) + H(T) - H(X,T) with ln n replaced by ψ(n).

    Gao, Kannan, Oh & Viswanath 2017, Algorithm 1, prints ln N, ln(n_x + 1) and ln(n_t + 1), counted
    up to the k-th neighbour itself, which does not contain Kraskov's formula; digamma and strict
    counts do, and their own code has them too, with ln N for ψ(N). At distance 0 we follow them: k̃
    is the number of equal rows. Beyond 0 they keep k̃ = k even where several neighbours are equally
    far and fewer lie inside; we count those inside. For 400 samples of two independent variables of
    20 values (truth 0) that gives 0.3 instead of 1.3 bits.

    It depends on how x and t are scaled against each other. Where numbers are rounded so that each
    pair occurs about once it is too large (0.9 instead of 0.6 bit for 2000 Gaussian pairs in steps
    of 1/32), and a jitter of half a step helps. A continuous T has infinite information about
    itself; what comes out then grows as log2 N.

    Parameters
    ----------
    x : (sample, feature) array
    t : (sample, unit) array
    k : int
    jitter : float
    norm : {"max", "euclidean"}
        "max" is searched with trees; "euclidean" measures all N² distances where x or t has several
        columns.

    Raises
    ------
    ValueError
        If k neighbours do not exist, or lengths differ.

    Examples
    --------
    A fair coin has one bit about itself; the rest is bias:

    >>> coin = np.arange(1000) % 2
    >>> round(mutual_information(coin, coin), 3)
    1.001
    """
    k, order = _settings(k, norm)
    x, t = _points({"x": x, "t": t}, k, jitter)
    if len(x) != len(t):
        raise ValueError(f"need as many rows of x as of t, got {len(x)} and {len(t)}.")
    one_column = x.shape[1] == t.shape[1] == 1
    counts = _counts_of_trees if np.isinf(order) or one_column else _counts_of_all_pairs
    inside, n_x, n_t = counts(x, t, k)
    found = digamma(len(x)) + (digamma(inside) - digamma(n_x) - digamma(n_t)).mean()
    return float(found / _LN2)


def label_information(
    t: ArrayLike, y: ArrayLike, k: int = 3, jitter: float = 0.0, norm: str = "euclidean"
) -> float:
    """I(T;Y) in bits of labels and a T that is continuous, discrete or mixed (Ross 2014, eq. 4).

    ψ(N) + ⟨ψ(k̃) - ψ(n_y) - ψ(m)⟩

    The ball is that of the k-th neighbour with the same label: k̃ samples of that label and m of any
    lie in it, of n_y with that label at all, the centre included. Without ties k̃ = k and Ross's m,
    which counts the k-th neighbour and not the centre, is the same number.

    Parameters
    ----------
    t : (sample, unit) array
    y : (sample,) integers or strings
        Every class needs more than k samples.
    k : int
    jitter : float
    norm : {"euclidean", "max"}

    Raises
    ------
    ValueError
        If a class has too few samples.

    Examples
    --------
    A unit that fires for one of two classes, always equally strongly:

    >>> y = np.array(["cat", "dog"] * 500)
    >>> round(label_information(np.where(y == "cat", 0.7, 0.0), y), 3)
    1.001
    """
    k, order = _settings(k, norm)
    (t,) = _points({"t": t}, k, jitter)
    label, n_y = _classes(y, len(t), k)
    reach, inside = np.empty(len(t)), np.empty(len(t))
    for one in range(len(n_y)):
        own = label == one
        reach[own], inside[own] = _balls(t[own], k, order)
    m = _count(t, reach, order)
    found = digamma(len(t)) + (digamma(inside) - digamma(n_y[label]) - digamma(m)).mean()
    return float(found / _LN2)


def _balls(points: np.ndarray, k: int, order: float) -> tuple[np.ndarray, np.ndarray]:
    """Radius of the ball around each point, and how many points lie in it, itself included."""
    tree = cKDTree(points)
    near = tree.query(points, k + 1, p=order)[0]
    reach = _reach(near[:, -1])
    inside = (near <= reach[:, None]).sum(axis=1)
    tied = inside > k  # the k-th neighbour is an equal row, and there may be more of them
    inside[tied] = tree.query_ball_point(points[tied], 0, p=order, return_length=True)
    return reach, inside


def _reach(distance: np.ndarray) -> np.ndarray:
    """Radius that leaves the k-th neighbour out; 0, which holds equal rows, where it is equal."""
    # Trees compare squares: that of the float below a rounded root rounds below the square itself.
    return np.nextafter(distance, 0)


def _count(points: np.ndarray, reach: np.ndarray, order: float) -> np.ndarray:
    """Points within reach of each, itself included."""
    if np.isinf(order) and points.shape[1] > 1:
        from sklearn.neighbors import KDTree  # here 2 to 9 times as fast, the same counts

        return KDTree(points, metric="chebyshev").query_radius(points, reach, count_only=True)
    return cKDTree(points).query_ball_point(points, reach, p=order, return_length=True)


def _counts_of_trees(
    x: np.ndarray, t: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples whose pair, whose x, whose t lies in the ball; maximum norm."""
    reach, inside = _balls(np.concatenate([x, t], axis=1), k, np.inf)
    return inside, _count(x, reach, np.inf), _count(t, reach, np.inf)


def _counts_of_all_pairs(
    x: np.ndarray, t: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same, Euclidean inside x and t: no tree searches the larger of two such distances."""
    n = len(x)
    counts = np.empty((3, n), np.int64)
    for rows in np.array_split(np.arange(n), -(-n * n // _PAIRS_AT_ONCE)):
        of_x, of_t = cdist(x[rows], x), cdist(t[rows], t)
        of_pair = np.maximum(of_x, of_t)
        reach = _reach(np.partition(of_pair, k, axis=1)[:, k, None])
        counts[:, rows] = [(one <= reach).sum(axis=1) for one in (of_pair, of_x, of_t)]
    of_pair, of_x, of_t = counts
    return of_pair, of_x, of_t


def _settings(k: int, norm: str) -> tuple[int, float]:
    """k as Python's integer, and the order of the norm as SciPy counts."""
    if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
        raise ValueError(f"k must be an integer of at least 1, got {k!r}.")
    if not isinstance(norm, str) or norm not in _ORDER:
        raise ValueError(f"norm must be one of {', '.join(_ORDER)}, got {norm!r}.")
    return int(k), _ORDER[norm]


def _points(
    variables: dict[str, ArrayLike], k: int, jitter: float, seed: int = _SEED
) -> list[np.ndarray]:
    """Variables as (sample, unit) float64, each with noise of its own."""
    if not isinstance(jitter, Real) or isinstance(jitter, bool) or not 0 <= jitter <= _LARGEST:
        raise ValueError(f"jitter must be a number from 0 to {_LARGEST:g}, got {jitter!r}.")
    rng = np.random.default_rng(seed)
    found = []
    for name, values in variables.items():
        points = _floats(name, values, k)
        if jitter:
            points = points + float(jitter) * rng.normal(size=points.shape)
        size = np.abs(points).max()
        if size and not _SMALLEST <= size <= _LARGEST:
            raise ValueError(
                f"the largest value of {name} is {size:.3g}; distances need it between "
                f"{_SMALLEST:g} and {_LARGEST:g}: rescale."
            )
        found.append(points)
    return found


def _floats(name: str, values: ArrayLike, k: int) -> np.ndarray:
    """One variable as (sample, unit) float64, finite, of more than k samples."""
    values = _array(name, values)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or values.shape[1] == 0 or len(values) <= k:
        raise ValueError(
            f"{name} must be (sample, unit) with more than k={k} samples and at least one unit; "
            f"got shape {values.shape}."
        )
    if values.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be real numbers, got dtype {values.dtype}.")
    with np.errstate(over="ignore"):  # beyond float64 is infinite, and refused below
        floats = values.astype(np.float64)
    if not np.isfinite(floats).all():
        raise ValueError(f"the values of {name} must be finite; some are NaN or infinite.")
    if values.dtype.kind in "iu" and np.abs(floats).max() > 2**53:
        raise ValueError(f"integers in {name} beyond 2**53 would be rounded together; shift them.")
    return floats


def _classes(y: ArrayLike, n_samples: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels as numbers from 0, and how many samples each number has."""
    y = _array("y", y)
    if y.dtype.kind in "OT" and all(isinstance(label, str) for label in y.flat):
        y = y.astype(str)  # pandas keeps strings as objects
    if y.shape != (n_samples,) or y.dtype.kind not in "biuSU":
        raise ValueError(
            f"y must be one integer or string label for each of the {n_samples} rows, got shape "
            f"{y.shape} of dtype {y.dtype}."
        )
    names, label, n_y = np.unique(y, return_inverse=True, return_counts=True)
    if n_y.min() <= k:
        raise ValueError(
            f"class {names[n_y.argmin()]} has {n_y.min()} samples; k={k} needs {k + 1}: lower k, "
            "or leave the class out."
        )
    return label, n_y


def _array(name: str, values: ArrayLike) -> np.ndarray:
    """An array, or the reason why it is none."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} is no array of numbers or labels: {error}") from error
