"""From symbols to information: count, then add up φ(n) = n log2 n.

A discrete estimator turns a row of a layer into one symbol c and counts. With N samples,
of which n_c show the symbol c, n_cy the symbol c and the label y, and N_y the label y,

    I(X;T) = H(T) = [φ(N) − Σ_c φ(n_c)] / N,                             φ(n) = n log2 n,
    I(T;Y) = H(Y) − H(Y|T) = [φ(N) − Σ_y φ(N_y) + Σ_cy φ(n_cy) − Σ_c φ(n_c)] / N.

The first line holds because the inputs are distinct and the network is deterministic: then X
determines T, and the samples are taken as the whole population. Soft labels replace N_y and n_cy
by sums of P(y|x).

The sums of φ run over *how many* symbols occur n times, in order of n. They are therefore the same
to the last bit whatever the order of samples, units or classes.
"""

from functools import lru_cache
from typing import ClassVar

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.base import LayerInformation, Ruler
from ibcore.estimators.inputs import as_array, checked_labels, checked_layer

_LARGEST_SYMBOL = 2**62
# Where float64 still tells neighbouring intervals apart with room to spare.
LARGEST_CODE = 2**50


class CountingRuler(Ruler, named=False):
    """A ruler that gives every activation a whole number; a row of them is one symbol of T.

    Attributes
    ----------
    precision : type, optional
        float32, if a layer is rounded to it first.
    limits : (float, float)
        Least and largest activation that has a number.
    """

    precision: ClassVar[type | None] = None
    limits: ClassVar[tuple[float, float]] = (-np.inf, np.inf)

    def codes(self, t: np.ndarray) -> np.ndarray:
        """(sample, unit) integers: which activations of a unit are told apart."""
        raise ValueError(f"{type(self).__name__} does not say what it counts: write codes(t).")

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """I(X;T) and I(T;Y) in bits, T as the ruler sees t (sample, unit); y (sample,)."""
        layer = checked_layer(t, dtype=self.precision)
        low, high = self.limits
        for end in (layer.min(), layer.max()):
            if not low <= end <= high:
                raise ValueError(
                    f"{type(self).__name__} takes activations within [{low:g}, {high:g}], got "
                    f"{end:.3g}; take another ruler."
                )
        return information_of_codes(self.codes(layer), y)


def information_of_codes(codes: np.ndarray, y: ArrayLike) -> LayerInformation:
    """I(X;T) and I(T;Y) in bits when a row of integer codes is one symbol of T.

    Parameters
    ----------
    codes : (sample, unit) integer array
        Only equality matters; entries lie within ±2**50.
    y : (sample,) integers or strings, (sample,) floats P(y=1|x), or (sample, class) floats P(y|x)
        Labels.
    """
    symbols, n_symbols = packed(_checked_codes(codes))
    return information_of_symbols(symbols, n_symbols, y)


def packed(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Rows of codes (sample, unit) numbered from 0, and how many numbers there are.

    The codes, within ±2**50, are overwritten.
    """
    symbols, n_symbols = np.zeros(len(codes), dtype=np.int64), 1
    # Room for the labels as lowest digit: there are never more of them than samples.
    limit = _LARGEST_SYMBOL // len(codes)
    unit = 0
    while unit < codes.shape[1]:
        start = unit
        unit, n_symbols = _pack(codes, unit, symbols, n_symbols, limit)
        if unit == start:  # one unit too wide for the room that is left: number its values
            codes[:, unit] = dense(codes[:, unit])[0]
        if unit < codes.shape[1]:
            symbols, n_symbols = dense(symbols)
            if n_symbols == len(symbols):
                break
    return symbols, n_symbols


def _checked_codes(codes: ArrayLike) -> NDArray[np.int64]:
    """A copy, or an error that says what is wrong."""
    given = as_array("codes", codes)
    if given.ndim != 2 or given.dtype.kind not in "iu" or len(given) < 2 or given.shape[1] == 0:
        raise ValueError(
            "codes must be (sample, unit) integers of at least 2 samples and one unit, got "
            f"{given.dtype} of shape {given.shape}."
        )
    if given.max() > LARGEST_CODE or given.min() < -LARGEST_CODE:
        raise ValueError(
            f"codes must lie within ±2**50, got {given.min()} to {given.max()}; number them anew."
        )
    return np.array(given, dtype=np.int64)


def information_of_symbols(symbols: np.ndarray, n_symbols: int, y: ArrayLike) -> LayerInformation:
    """Both formulas of the module, for symbols (sample,) in 0 … n_symbols − 1."""
    labels, p_y = _labels(y, len(symbols))
    n, n_labels = len(symbols), int(labels.max()) + 1
    joint = np.sort(symbols * n_labels + labels)
    phi = _phi_table(n)
    of_t, of_ty, of_y = _phi_sums(joint, n_labels, np.bincount(labels), phi)
    i_xt = (phi[n] - of_t) / n
    if p_y is not None:
        of_y, of_ty = _soft_phi_sums(joint, n_labels, labels, p_y)
    # In this order both ends are exact: 0 for a single symbol, H(Y) if T determines Y.
    i_ty = ((phi[n] - of_y) + (of_ty - of_t)) / n
    return LayerInformation(float(i_xt), float(i_ty))


def _labels(y: ArrayLike, n_samples: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Labels as small integers, and for soft labels the distribution each integer stands for."""
    found = checked_labels(y, n_samples)
    if found.ndim == 1:
        return found, None
    # The rows of two classes are known by one of them, and floats sort faster than rows.
    key, axis = (found[:, 1], None) if found.shape[1] == 2 else (found, 0)
    _, first, labels = np.unique(key, axis=axis, return_index=True, return_inverse=True)
    return labels.reshape(-1), found[first]


def _soft_phi_sums(
    joint: np.ndarray, n_labels: int, labels: np.ndarray, p_y: np.ndarray
) -> tuple[float, float]:
    """Σ_y φ(N_y) and Σ_cy φ(n_cy) when n_cy = Σ_{x in c} P(y|x)."""
    # Cells of the sorted table (symbol, label distribution), and where a symbol begins.
    first = np.flatnonzero(np.diff(joint, prepend=joint[0] - 1))
    count = np.diff(first, append=len(joint))
    symbol, label = np.divmod(joint[first], n_labels)
    begin = np.flatnonzero(np.diff(symbol, prepend=symbol[0] - 1))
    weight = np.add.reduceat(count[:, None] * p_y[label], begin, axis=0)
    total = np.bincount(labels) @ p_y
    return _phi_sum(total), _phi_sum(weight)


def _phi_sum(weight: np.ndarray) -> float:
    """Σ w log2 w over all entries, in order of size: the order of symbols leaves no trace."""
    weight = np.sort(weight[weight > 0], axis=None)
    return float(np.sum(weight * np.log2(weight)))


@lru_cache(maxsize=8)
def _phi_table(n: int) -> np.ndarray:
    """φ(k) = k log2 k for k = 0 … n."""
    k = np.arange(n + 1, dtype=np.float64)
    return k * np.log2(np.maximum(k, 1))


def dense(symbols: np.ndarray) -> tuple[np.ndarray, int]:
    """Symbols renumbered 0, 1, … in order of size, and how many there are."""
    values, ranks = np.unique(symbols, return_inverse=True)
    return ranks.astype(symbols.dtype, copy=False), len(values)


@numba.njit(cache=True, nogil=True)
def _pack(
    codes: NDArray[np.int64], unit: int, symbols: NDArray[np.int64], n_symbols: int, limit: int
) -> tuple[int, int]:
    """Append units as digits to the symbols while they fit; the next unit, the number of symbols.

    Mixed radix: a unit that takes codes from low to high is a digit of base high − low + 1.
    """
    n, d = codes.shape
    low, high = codes[0].copy(), codes[0].copy()
    for i in range(n):
        for j in range(unit, d):
            low[j] = min(low[j], codes[i, j])
            high[j] = max(high[j], codes[i, j])
    stop = unit
    while stop < d and n_symbols <= limit // (high[stop] - low[stop] + 1):
        n_symbols *= high[stop] - low[stop] + 1
        stop += 1
    for i in range(n):
        symbol = symbols[i]
        for j in range(unit, stop):
            symbol = symbol * (high[j] - low[j] + 1) + (codes[i, j] - low[j])
        symbols[i] = symbol
    return stop, n_symbols


@numba.njit(cache=True, nogil=True)
def _phi_sums(
    joint: NDArray[np.int64],
    n_labels: int,
    label_counts: NDArray[np.int64],
    phi: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Σ_c φ(n_c), Σ_cy φ(n_cy), Σ_y φ(N_y) from the sorted symbols c · n_labels + y."""
    n = len(joint)
    times = np.zeros((3, n + 1), dtype=np.int64)  # how many symbols occur k times
    start_t = start_ty = 0
    symbol = joint[0] // n_labels
    for i in range(1, n):
        if joint[i] != joint[i - 1]:
            times[1, i - start_ty] += 1
            start_ty = i
            if joint[i] >= (symbol + 1) * n_labels:
                times[0, i - start_t] += 1
                start_t = i
                symbol = joint[i] // n_labels
    times[0, n - start_t] += 1
    times[1, n - start_ty] += 1
    for count in label_counts:
        times[2, count] += 1
    sums = np.zeros(3)
    for which in range(3):
        for k in range(2, n + 1):
            if times[which, k]:
                sums[which] += times[which, k] * phi[k]
    return sums[0], sums[1], sums[2]
