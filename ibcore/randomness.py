"""Randomness from seeds alone: one counter-based generator per (seed, purpose, epoch)."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types, uint64
from numba.extending import intrinsic
from numpy.typing import NDArray

PURPOSES = {
    "data": 0,
    "split": 1,
    "init": 2,
    "batches": 3,
    "noise": 4,
    "measured_noise": 5,
    "dropout": 6,
}


def generator(seed: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """A Philox generator keyed by what it is for.

    The key is the whole state, so the stream of one network depends on its own seed alone: not on
    how many others run, on their order, on threads or on where a run was resumed.

    Parameters
    ----------
    seed : int
        Of the network.
    purpose : str
        One of ``PURPOSES``; streams of different purposes are independent.
    epoch : int
        For streams that are renewed every epoch.

    Examples
    --------
    >>> int(generator(0, "init").integers(1000)) == int(generator(0, "init").integers(1000))
    True
    """
    key = np.array([seed, PURPOSES[purpose] << 32 | epoch], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def shuffled(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The rows in random order, all orders equally likely; a new array.

    Fisher-Yates on the generator's uniform numbers: three times as fast as
    ``Generator.permutation``, and the order does not hang on a version of NumPy.

    Examples
    --------
    >>> sorted(shuffled(np.arange(5), generator(0, "batches")).tolist())
    [0, 1, 2, 3, 4]
    """
    found = np.array(rows)
    _fisher_yates(found, rng.random(len(found)))
    return found


def shuffled_by_epoch(
    rows: np.ndarray, seed: int, purpose: str, first: int, n_epochs: int
) -> np.ndarray:
    """(epoch, row): the orders that ``shuffled`` gives with the generator of each epoch.

    The same numbers, drawn in compiled code: three times as fast.

    Examples
    --------
    >>> rows = np.arange(100)
    >>> one = shuffled(rows, generator(7, "batches", 3))
    >>> bool((shuffled_by_epoch(rows, 7, "batches", 2, 2)[1] == one).all())
    True
    """
    found = np.empty((n_epochs, len(rows)), rows.dtype)
    found[:] = rows
    _shuffle_each(found, seed, PURPOSES[purpose] << 32 | first)
    return found


def _upper_half(typing: Any, a: Any, b: Any) -> Any:
    """The upper 64 bits of the product of two words."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        wide, word = ir.IntType(128), ir.IntType(64)
        product = builder.mul(*(builder.zext(value, wide) for value in values))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), word)

    return types.uint64(types.uint64, types.uint64), code


_upper: Any = intrinsic(_upper_half)


@njit(cache=True, nogil=True)
def _shuffle_each(found: np.ndarray, seed: int, second: int) -> None:
    uniform = np.empty(found.shape[1] + 3)
    for epoch in range(len(found)):
        _fill_uniform(uint64(seed), uint64(second + epoch), uniform)
        _fisher_yates(found[epoch], uniform)


@njit(cache=True, nogil=True)
def _fill_uniform(key: Any, other: Any, uniform: NDArray[np.float64]) -> None:
    """Numbers of [0, 1), four by four: Philox 4x64-10 as NumPy has it, counting from 1."""
    for k in range(0, len(uniform) - 3, 4):
        a, b, c, d = uint64(k // 4 + 1), uint64(0), uint64(0), uint64(0)
        x, y = key, other
        for _ in range(10):
            p, q = uint64(0xD2E7470EE14C6C93), uint64(0xCA5A826395121157)
            a, b, c, d = _upper(q, c) ^ b ^ x, q * c, _upper(p, a) ^ d ^ y, p * a
            x, y = x + uint64(0x9E3779B97F4A7C15), y + uint64(0xBB67AE8584CAA73B)
        uniform[k] = (a >> uint64(11)) * 2.0**-53
        uniform[k + 1] = (b >> uint64(11)) * 2.0**-53
        uniform[k + 2] = (c >> uint64(11)) * 2.0**-53
        uniform[k + 3] = (d >> uint64(11)) * 2.0**-53


@njit(cache=True, nogil=True)
def _fisher_yates(rows: np.ndarray, uniform: NDArray[np.float64]) -> None:
    """Swap each place, from the last one down, with one of those up to it."""
    for i in range(len(rows) - 1, 0, -1):
        j = int(uniform[i] * (i + 1))
        rows[i], rows[j] = rows[j], rows[i]
