"""Counting rulers on layers of any width and any number of batches: rows of codes are hashed.

A counting ruler only asks which rows of codes are equal. Each row is therefore kept as 128 bits,

    a ← mix((a ⊕ c) K),  b ← mix((b + c) K')        for the codes c of its units, one by one,

and rows with equal hashes count as equal. The two words start apart and are multiplied by
different odd numbers, so that two of N different rows meet with probability below N²/2^129, 10^-27
for a million. What is counted is the same, and so are all bits of the result, as
``ibcore.estimators.counting`` adds up in an order that knows no symbols.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from ibcore.estimators import Exact
from ibcore.estimators.by_element import by_element
from ibcore.estimators.counting import LARGEST_CODE, CountingRuler, dense, information_of_symbols
from ibcore.estimators.inputs import checked_layer

BLOCK = 2**20  # codes made at once


def hashed_rows(ruler: CountingRuler, t: NDArray[Any]) -> NDArray[np.uint64]:
    """(sample, 2) hashes of the rows of codes of t (sample, unit).

    Raises
    ------
    ValueError
        For activations that the ruler does not take, as the ruler itself.
    """
    # A batch may be one sample; what is checked of two equal ones is checked of it.
    layer = checked_layer(t if len(t) > 1 else np.repeat(t, 2, axis=0), dtype=ruler.precision)
    low, high = ruler.limits
    for end in (layer.min(), layer.max()):
        if not low <= end <= high:
            raise ValueError(
                f"{type(ruler).__name__} takes activations within [{low:g}, {high:g}], got "
                f"{end:.3g}; take another ruler."
            )
    layer = layer[: len(t)]
    n_rows = max(1, BLOCK // layer.shape[1]) if by_element(ruler) else len(layer)
    found = np.empty((len(layer), 2), np.uint64)
    for start in range(0, len(layer), n_rows):
        codes = ruler.codes(layer[start : start + n_rows])
        if not isinstance(ruler, Exact) and np.abs(codes).max() > LARGEST_CODE:
            raise ValueError("codes must lie within ±2**50; number them anew.")
        hash_rows(codes.astype(np.int64, copy=False), found[start : start + n_rows])
    return found


@numba.njit(cache=True, nogil=True)
def hash_rows(codes: NDArray[np.int64], found: NDArray[np.uint64]) -> None:
    """Fill found (row, 2) with the hashes of the rows of codes (row, unit)."""
    for i in range(codes.shape[0]):
        a, b = np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344)
        for j in range(codes.shape[1]):
            c = np.uint64(codes[i, j])
            a = (a ^ c) * np.uint64(0x9E3779B97F4A7C15)
            b = (b + c) * np.uint64(0xC2B2AE3D27D4EB4F)
            a ^= a >> np.uint64(29)
            b ^= b >> np.uint64(32)
        found[i, 0] = a
        found[i, 1] = b


def information_of_hashes(hashes: NDArray[np.uint64], y: NDArray[Any]) -> tuple[float, float]:
    """I(X;T) and I(T;Y) in bits when rows with equal hashes are one symbol of T."""
    first, second = (dense(word)[0].astype(np.int64) for word in hashes.T)
    symbols, n_symbols = dense(first * len(hashes) + second)
    return information_of_symbols(symbols, n_symbols, y)


def hashed_information(ruler: CountingRuler, t: NDArray[Any], y: NDArray[Any]) -> Any:
    """What ``ruler(t, y)`` gives, to the last bit, for a layer of any width."""
    return information_of_hashes(hashed_rows(ruler, t), y)
