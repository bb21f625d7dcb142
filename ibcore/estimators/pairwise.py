"""Sums of Gaussian kernels over all pairs of samples: what the kernel bounds are made of.

With entries e of weight w_e, row t_e and class c_e, and k = exp(-‖t_e - t_f‖² / 2σ²),

    own(e) = Σ_{f: c_f = c_e} w_f k(e, f),        every(e) = Σ_f w_f k(e, f).

An entry is a distinct pair of row and class; equal ones are one entry of larger weight. A sample
with soft labels is one entry per class, of weight P(y|x). Entries are sorted by class, so that a
block of pairs belongs to one class or to two, and each pair is visited once.
"""

from __future__ import annotations

from math import frexp
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.counting import dense
from ibcore.estimators.inputs import LARGEST_FLOAT32, checked_labels, checked_layer, real_floats
from ibcore.estimators.scaling import within_reach
from ibcore.labels import label_distribution
from ibcore.simd import COMPILED, LANES, decay, fill, fma, larger, load, store, total

if TYPE_CHECKING:
    import torch

# No kernel is smaller than the square of this. It would change no sum, in which each entry counts
# itself as 1; but the square of a smaller one, or its product with a weight, is a denormal number,
# and each of these costs some processors 150 cycles.
FLOOR = 1e-17
TILE = 4  # entries whose kernels with a stretch of others are held at once
STRETCH = 256
OCTAVES = 8  # by squaring; each one doubles the relative error of a float32 kernel
WIDEST_DIRECT = 64
BLOCK_ENTRIES = 8_000_000
FEW = 0.01  # share of pairs below which they are worth computing one by one


class Similarities(NamedTuple):
    """Kernel sums of every entry, for every noise variance."""

    weight: np.ndarray  # (entry,)
    label: np.ndarray  # (entry,)
    own: np.ndarray  # (variance, entry)
    every: np.ndarray  # (variance, entry)


def similarities(
    t: ArrayLike,
    y: ArrayLike,
    variances: ArrayLike,
    *,
    dtype: type = np.float32,
    device: str = "cpu",
) -> Similarities:
    """Kernel sums for several noise variances in one pass over the pairs.

    Layers of up to 64 units take differences directly, wider ones go through the products of
    centred rows, block by block, with torch.

    Parameters
    ----------
    t : (sample, unit) array
    y : (sample,) integers, (sample,) floats P(y=1|x), or (sample, class) floats P(y|x)
    variances : (variance,) array
        σ², positive, in any order.
    dtype : type
        ``numpy.float32`` is within 1e-5 bit of ``numpy.float64``.
    device : str
        Of torch, for wide layers, or for all of them if it is not ``"cpu"``.
    """
    layer, levels = within_reach(checked_layer(t), _checked_variances(variances))
    rows, labels, weights = entries(layer, y)
    if device != "cpu" or rows.shape[1] > WIDEST_DIRECT:
        own, every = _by_products(rows, labels, weights, levels, device)
        return Similarities(weights, labels, own, every)
    order = np.argsort(-levels)
    rates, squarings = _plan(levels[order])
    starts = np.searchsorted(labels, np.arange(labels.max() + 2))
    sizes = np.diff(starts)
    ends = np.cumsum(-(-sizes // LANES) * LANES)
    # where each entry stands once every class is filled up to whole vectors
    place = np.arange(len(labels)) - np.repeat(starts[:-1], sizes)
    place += np.repeat(ends - -(-sizes // LANES) * LANES, sizes)
    # rows of memory a multiple of 4 kB apart would fight for the same places in the cache
    ends[-1] += LANES * (ends[-1] * 4 % 4096 < 256)
    points = np.zeros((rows.shape[1], ends[-1]), dtype)
    points[:, place] = rows.T
    weight = np.zeros(ends[-1], dtype)
    weight[place] = weights
    own = np.zeros((len(levels), ends[-1]), dtype)
    other = np.zeros_like(own)
    _sum_pairs(points, weight, ends[sizes > 0], rates.astype(dtype), squarings, own, other)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    own, other = own[back][:, place].astype(np.float64), other[back][:, place]
    return Similarities(weights, labels, own, own + other)


def _checked_variances(variances: ArrayLike) -> np.ndarray:
    found = np.atleast_1d(real_floats("variances", variances))
    if found.ndim != 1 or not len(found) or not ((found > 0) & np.isfinite(found)).all():
        raise ValueError(f"variances must be a list of positive finite numbers, got {found}.")
    return found


def entries(t: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct (row, class) pairs: rows (entry, unit) float32, labels and weights, by class."""
    layer = checked_layer(t, dtype=np.float32) + np.float32(0)  # -0.0 becomes 0.0
    given = checked_labels(y, len(layer))
    if given.ndim == 1:
        sample, label, weight = np.arange(len(given)), given, np.ones(len(given))
    else:
        sample, label = np.nonzero(given)
        weight = given[sample, label]
    symbols, n_symbols = np.zeros(len(layer), np.uint64), 1
    for column in layer.view(np.uint32).T:
        symbols, n_symbols = dense(symbols << np.uint64(32) | column)
        if n_symbols == len(layer):
            break
    symbol = symbols.astype(np.int64)[sample]
    if n_symbols == len(layer):  # nothing to collapse
        by_class = np.argsort(label, kind="stable")
        sample, label = sample[by_class], label[by_class]
        return layer[sample], label, weight[by_class]
    pairs, first, group = np.unique(
        label * np.int64(n_symbols) + symbol, return_index=True, return_inverse=True
    )
    weights = np.bincount(group, weight)
    return layer[sample[first]], pairs // n_symbols, weights


def _plan(variances: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For falling variances: 1/2σ², and by how many squarings a kernel follows from the last.

    0 squarings: a new exponential.
    """
    squarings = np.zeros(len(variances), np.int64)
    since = 0
    for k in range(1, len(variances)):
        octaves = np.log2(variances[k - 1] / variances[k])
        n = round(octaves)
        if n >= 1 and abs(octaves - n) < 1e-12 and since + n <= OCTAVES:
            squarings[k] = n
            since += n
        else:
            since = 0
    return 1 / (2 * variances), squarings


@njit(**COMPILED)
def _sum_pairs(
    points: np.ndarray,
    weight: np.ndarray,
    ends: NDArray[np.int64],
    rates: np.ndarray,
    squarings: NDArray[np.int64],
    own: np.ndarray,
    other: np.ndarray,
) -> None:
    """Add up the kernels of all pairs; see the top of the file. Arrays end on whole vectors."""
    n = points.shape[1]
    flat, mine, theirs = points.reshape(-1), own.reshape(-1), other.reshape(-1)
    kernels = np.empty(TILE * STRETCH, points.dtype)
    rows = np.zeros(len(rates) * TILE * LANES, points.dtype)
    group = 0
    for i in range(0, n, TILE):
        while i >= ends[group]:
            group += 1
        diagonal = i // LANES * LANES + LANES
        # the block on the diagonal holds each of its pairs twice: rows only
        _stretch(
            flat,
            weight,
            i,
            diagonal - LANES,
            diagonal,
            rates,
            squarings,
            mine,
            rows,
            kernels,
            False,
        )
        for j in range(diagonal, ends[group], STRETCH):
            end = min(j + STRETCH, ends[group])
            _stretch(flat, weight, i, j, end, rates, squarings, mine, rows, kernels, True)
        _flush(rows, mine, i, n)
        for j in range(ends[group], n, STRETCH):
            end = min(j + STRETCH, n)
            _stretch(flat, weight, i, j, end, rates, squarings, theirs, rows, kernels, True)
        _flush(rows, theirs, i, n)


@njit(**COMPILED)
def _flush(rows: np.ndarray, sums: np.ndarray, i: int, n: int) -> None:
    """Move the partial sums of entries i to i + 3 to where they belong."""
    for k in range(len(rows) // LANES):
        sums[k // TILE * n + i + k % TILE] += total(load(rows, k * LANES))
    rows[:] = 0


@njit(**COMPILED)
def _stretch(
    flat: np.ndarray,
    weight: np.ndarray,
    i: int,
    start: int,
    end: int,
    rates: np.ndarray,
    squarings: NDArray[np.int64],
    sums: np.ndarray,
    rows: np.ndarray,
    kernels: np.ndarray,
    both: bool,
) -> None:
    """Kernels of entries i to i + 3 with start to end; ``both``: into the sums of these too."""
    for level in range(len(rates)):
        if squarings[level] == 0:
            _exponentials(flat, len(weight), i, start, end, -rates[level], kernels)
        else:
            for _ in range(squarings[level] - 1):
                _square(start, end, kernels)
        _add_up(weight, i, start, end, squarings[level] > 0, level, sums, rows, kernels, both)


@njit(**COMPILED)
def _exponentials(
    flat: np.ndarray, n: int, i: int, start: int, end: int, rate: float, kernels: np.ndarray
) -> None:
    """kernels[a, j] = exp(rate ‖t_{i+a} - t_{start+j}‖²), four rows."""
    for j in range(start, end, LANES):
        k0 = k1 = k2 = k3 = fill(0.0, flat)
        for u in range(0, len(flat), n):
            t = load(flat, u + j)
            d = t - flat[u + i]
            k0 = fma(d, d, k0)
            d = t - flat[u + i + 1]
            k1 = fma(d, d, k1)
            d = t - flat[u + i + 2]
            k2 = fma(d, d, k2)
            d = t - flat[u + i + 3]
            k3 = fma(d, d, k3)
        place = j - start
        store(kernels, place, larger(decay(k0 * rate), FLOOR * FLOOR))
        store(kernels, STRETCH + place, larger(decay(k1 * rate), FLOOR * FLOOR))
        store(kernels, 2 * STRETCH + place, larger(decay(k2 * rate), FLOOR * FLOOR))
        store(kernels, 3 * STRETCH + place, larger(decay(k3 * rate), FLOOR * FLOOR))


@njit(**COMPILED)
def _square(start: int, end: int, kernels: np.ndarray) -> None:
    """Every kernel squared: half the variance."""
    for row in range(0, TILE * STRETCH, STRETCH):
        for k in range(row, row + end - start, LANES):
            k0 = larger(load(kernels, k), FLOOR)
            store(kernels, k, k0 * k0)


@njit(**COMPILED)
def _add_up(
    weight: np.ndarray,
    i: int,
    start: int,
    end: int,
    squared: bool,
    level: int,
    sums: np.ndarray,
    rows: np.ndarray,
    kernels: np.ndarray,
    both: bool,
) -> None:
    """Add the kernels to the sums of both sides, ``squared`` first."""
    w0, w1, w2, w3 = weight[i], weight[i + 1], weight[i + 2], weight[i + 3]
    row, at = level * len(weight), level * TILE * LANES
    a0, a1 = load(rows, at), load(rows, at + LANES)
    a2, a3 = load(rows, at + 2 * LANES), load(rows, at + 3 * LANES)
    for j in range(start, end, LANES):
        p = j - start
        k0, k1 = load(kernels, p), load(kernels, STRETCH + p)
        k2, k3 = load(kernels, 2 * STRETCH + p), load(kernels, 3 * STRETCH + p)
        if squared:
            k0, k1 = larger(k0, FLOOR), larger(k1, FLOOR)
            k2, k3 = larger(k2, FLOOR), larger(k3, FLOOR)
            k0, k1, k2, k3 = k0 * k0, k1 * k1, k2 * k2, k3 * k3
            store(kernels, p, k0)
            store(kernels, STRETCH + p, k1)
            store(kernels, 2 * STRETCH + p, k2)
            store(kernels, 3 * STRETCH + p, k3)
        w = load(weight, j)
        a0, a1, a2, a3 = fma(k0, w, a0), fma(k1, w, a1), fma(k2, w, a2), fma(k3, w, a3)
        if both:
            even = fma(k2, w2, fma(k0, w0, load(sums, row + j)))
            store(sums, row + j, even + fma(k3, w3, k1 * w1))
    store(rows, at, a0)
    store(rows, at + LANES, a1)
    store(rows, at + 2 * LANES, a2)
    store(rows, at + 3 * LANES, a3)


def _by_products(
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    variances: NDArray[np.float64],
    device: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both sums by ‖a - b‖² = ‖a‖² + ‖b‖² - 2 a·b of centred rows, in blocks of rows.

    Products in float32 show first which pairs can matter at all: a kernel below e⁻⁴⁰ / N changes no
    sum, as each entry counts itself. Where these are few, as in most wide layers, they alone are
    computed in float64, else the whole block is.
    """
    import torch

    given = torch.tensor(rows, dtype=torch.float64, device=device)
    points = given - given.mean(0)
    norm = (points**2).sum(1)
    n, n_units = points.shape
    n_classes = int(labels.max()) + 1
    spread = torch.zeros(n, n_classes, dtype=torch.float64, device=device)
    spread[torch.arange(n), torch.tensor(labels)] = torch.tensor(weights, device=device)
    # a power of two that keeps squares within float32: 1 for all but gigantic rows
    shrink = 2.0 ** -max(0, frexp(float(norm.max()))[1] // 2 - 40)
    coarse, rough = (points * shrink).float(), (norm * shrink**2).float()
    rounding = n_units * 2.0**-23 * float(norm.max())  # of a float32 square, more than enough
    reach = 2 * float(variances.max()) * (40 + np.log(n)) + 4 * rounding
    reach = min(reach * shrink**2, LARGEST_FLOAT32)
    # of a float64 square by products, and of the mean: where it is too much, pairs are taken one by
    # one, as they are given
    blurred = 2.0**-50 * float(norm.max()) > 1e-3 * float(variances.min())
    one_by_one = given if blurred else points
    own, every = np.empty((2, len(variances), n))
    step = max(1, BLOCK_ENTRIES // n)
    for start in range(0, n, step):
        block = slice(start, start + step)
        square = rough[block, None] + rough - 2 * coarse[block] @ coarse.T
        near = (square < reach).nonzero()
        if blurred or len(near) < FEW * square.numel():
            sums = _sums_of_few(one_by_one, start, step, near, spread, variances)
        else:
            square = norm[block, None] + norm - 2 * points[block] @ points.T
            square.clamp_(min=0)
            square.diagonal(start).zero_()
            sums = [torch.exp(square / (-2 * variance)) @ spread for variance in variances]
        for level, one in enumerate(sums):
            every[level, block] = one.sum(1).cpu().numpy()
            of_class = one.cpu().numpy()
            own[level, block] = of_class[np.arange(len(of_class)), labels[block]]
    return own, every


def _sums_of_few(
    points: torch.Tensor,
    start: int,
    step: int,
    near: torch.Tensor,
    spread: torch.Tensor,
    variances: NDArray[np.float64],
) -> list[torch.Tensor]:
    """Per variance (row, class): kernel sums of a block of rows over the pairs ``near`` alone."""
    import torch

    i, j = near[:, 0], near[:, 1]
    exact = [
        ((points[start + a] - points[b]) ** 2).sum(1)
        for a, b in zip(i.split(step), j.split(step), strict=True)
    ]
    square = torch.cat(exact)
    shape = (len(points[start : start + step]), spread.shape[1])
    return [
        spread.new_zeros(shape).index_add_(
            0, i, torch.exp(square / (-2 * variance))[:, None] * spread[j]
        )
        for variance in variances
    ]


def similarities_by_hand(t: ArrayLike, y: ArrayLike, variances: ArrayLike) -> Similarities:
    """The readable twin: the whole matrix in float64, one entry per sample and class."""
    rows, p = np.asarray(t, np.float64), label_distribution(y)
    square = ((rows[:, None] - rows[None]) ** 2).sum(axis=-1)
    sample, label = np.nonzero(p)
    by_class = [np.exp(-square / (2 * variance)) @ p for variance in np.atleast_1d(variances)]
    own = np.stack([sums[sample, label] for sums in by_class])
    every = np.stack([sums.sum(axis=1)[sample] for sums in by_class])
    return Similarities(p[sample, label], label, own, every)
