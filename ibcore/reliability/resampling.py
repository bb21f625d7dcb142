"""How a number moves when it is made from fewer samples, from shuffled labels, from other samples.

A number is given as a function of rows: ``measure(rows, others)`` takes the rows of one side and
the rows of the other that stand beside them. Its second argument is the first for the number
itself, and a shuffle of it where the two sides shall have nothing to do with each other.

No sample is ever taken twice: a bootstrap repeats a third of its rows, and to an estimator of
information equal rows are structure, not chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Rows = NDArray[np.int64]
Measure = Callable[[Rows, Rows], NDArray[np.float64]]
PARTS = (8, 4, 2)
DRAWS = 8  # of each size: parts that do not overlap, as often as it takes
LEAST_PART = 20  # samples; smaller parts are left out of the curve


class Curve(NamedTuple):
    """A number against the number of samples; bits, (size,) and (size, quantity) arrays.

    ``noise`` (quantity,) is the standard error of ``step``: how halves of one sample, taken four
    times, differ.
    """

    n: NDArray[np.int64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    noise: NDArray[np.float64]

    @property
    def step(self) -> NDArray[np.float64]:
        """v(N) - ⟨v(N/2)⟩: what the last doubling added, (quantity,).

        Both halves are parts of the whole, so that the scatter of the sample cancels to first
        order. What is left is bias: for one that falls as 1/N, just as much is still missing.
        """
        return self.mean[-1] - self.mean[-2]

    @property
    def slope(self) -> NDArray[np.float64]:
        """Bits per doubling over the whole curve, least squares, (quantity,)."""
        return np.polyfit(np.log2(self.n), self.mean, 1)[0]

    @property
    def extrapolated(self) -> NDArray[np.float64]:
        """2 v(N) - ⟨v(N/2)⟩: the limit, if the bias falls as 1/N, (quantity,)."""
        return 2 * self.mean[-1] - self.mean[-2]


def subsampled(measure: Measure, n: int, rng: np.random.Generator) -> Curve:
    """A number on 8 draws of N/8, N/4 and N/2 samples, and on all of them.

    Draws of one size are parts of the sample that do not overlap: 8 eighths, twice 4 quarters, 4
    times 2 halves.
    """
    everyone = np.arange(n)
    found = [
        (n // many, np.array([measure(rows, rows) for rows in _parts(n, many, rng)]))
        for many in PARTS
        if n // many >= LEAST_PART
    ]
    found.append((n, measure(everyone, everyone)[None]))
    halves = found[-2][1].reshape(DRAWS // 2, 2, -1).mean(axis=1)
    # What an estimator adds of its own to two halves together it adds to the whole, too.
    noise = np.sqrt(1 + 2 / DRAWS) * halves.std(axis=0, ddof=1)
    return Curve(
        np.array([size for size, _ in found]),
        np.array([values.mean(axis=0) for _, values in found]),
        np.array([values.std(axis=0, ddof=min(1, len(values) - 1)) for _, values in found]),
        noise,
    )


def _parts(n: int, many: int, rng: np.random.Generator) -> list[Rows]:
    size = n // many
    orders = [rng.permutation(n) for _ in range(DRAWS // many)]
    return [np.sort(one[i * size : (i + 1) * size]) for one in orders for i in range(many)]


class Null(NamedTuple):
    """The same number where one side is shuffled: bits, (quantity,) arrays."""

    mean: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]


def shuffled_null(
    measure: Measure, n: int, value: NDArray[np.float64], times: int, rng: np.random.Generator
) -> Null:
    """Mean, 95th percentile and p = (1 + number of shuffles that reach the value) / (1 + times)."""
    rows = np.arange(n)
    found = np.array([measure(rows, rng.permutation(n)) for _ in range(times)])
    # Equal sums in another order may differ in the last bit: reached is reached.
    reached = (found >= value - 1e-9 * np.maximum(np.abs(value), 1)).sum(axis=0)
    return Null(found.mean(axis=0), np.quantile(found, 0.95, axis=0), (1 + reached) / (1 + times))


class Interval(NamedTuple):
    """Corrected value and the ends of its 95 % interval, bits, (quantity,) arrays."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def jackknife(
    measure: Measure, n: int, value: NDArray[np.float64], groups: int, rng: np.random.Generator
) -> Interval:
    """Interval over samples that might have been drawn, from leaving out each of G groups.

        θ_J = G θ - (G - 1) θ̄,        s² = (G - 1)/G Σ_g (θ_g - θ̄)²,        θ_J ± t_{G-1} s,

    θ̄ the mean of the θ_g that lack a group. It removes a bias that falls as 1/N. It covers what is
    drawn, inputs with their labels; not the choice of ruler, nor a bias of another order (Efron &
    Stein 1981; Shao & Wu 1989 for groups).
    """
    order = rng.permutation(n)
    without = [np.sort(np.concatenate([order[:a], order[b:]])) for a, b in _groups(n, groups)]
    found = np.array([measure(rows, rows) for rows in without])
    g, mean = len(found), found.mean(axis=0)
    corrected = g * value - (g - 1) * mean
    spread = np.sqrt((g - 1) / g * ((found - mean) ** 2).sum(axis=0))
    reach = stats.t.ppf(0.975, g - 1) * spread
    return Interval(corrected, corrected - reach, corrected + reach)


def _groups(n: int, groups: int) -> list[tuple[int, int]]:
    """Begin and end of each of so many groups of nearly one size."""
    ends = np.linspace(0, n, min(groups, n) + 1).astype(int)
    return list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))


def over_seeds(values: NDArray[np.float64]) -> Interval:
    """Mean over networks (seed, quantity) and Student's 95 % interval for it.

    It covers networks that might have been trained, on the inputs that were measured.
    """
    n = len(values)
    mean = values.mean(axis=0)
    reach = stats.t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return Interval(mean, mean - reach, mean + reach)
